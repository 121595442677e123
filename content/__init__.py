"""What is said and when: curriculum, question bank, plans and the pure rules on them.

Knows no database, no aiogram and no screens.
"""

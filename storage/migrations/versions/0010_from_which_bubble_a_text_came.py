"""from which bubble a part of a reflection or a comment came"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('reflection', sa.Column('bubbles', sa.JSON(), nullable=True))
    op.add_column('pledge_comment', sa.Column('bubble', sa.String(length=40), nullable=True))


def downgrade() -> None:
    op.drop_column('pledge_comment', 'bubble')
    op.drop_column('reflection', 'bubbles')

"""key leaders' concrete tasks, and the copy of a pledge for the level above"""

import sqlalchemy as sa
from alembic import op

import storage.models

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('pledge', sa.Column('copied_at', storage.models.UtcDateTime(timezone=True), nullable=True))
    op.add_column('pledge_item', sa.Column('task_group', sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column('pledge_item', 'task_group')
    op.drop_column('pledge', 'copied_at')

"""what a turn writes keeps up no index that nothing asks for; what was not shown yet has a small one"""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

UNSHOWN = sa.text('shown_at IS NULL')


def upgrade() -> None:
    op.drop_index('ix_chat_active_at', table_name='chat')
    op.drop_index('ix_inbox_shown_at', table_name='inbox')
    op.create_index('ix_inbox_unshown', 'inbox', ['chat_id'], sqlite_where=UNSHOWN, postgresql_where=UNSHOWN)


def downgrade() -> None:
    op.drop_index('ix_inbox_unshown', table_name='inbox')
    op.create_index('ix_inbox_shown_at', 'inbox', ['shown_at'])
    op.create_index('ix_chat_active_at', 'chat', ['active_at'])

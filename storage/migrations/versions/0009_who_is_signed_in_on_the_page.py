"""who is signed in on the page"""

import sqlalchemy as sa
from alembic import op

import storage.models
import storage.sealed

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('page_session',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('external_id', sa.String(length=64), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('successor', storage.sealed.Sealed(), nullable=True),
    sa.Column('successor_digest', sa.String(length=64), nullable=True),
    sa.Column('renewed_at', storage.models.UtcDateTime(timezone=True), nullable=True),
    sa.Column('seen_at', storage.models.UtcDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_page_session')),
    sa.UniqueConstraint('digest', name=op.f('uq_page_session_digest')),
    sa.UniqueConstraint('external_id', name=op.f('uq_page_session_external_id')),
    sa.UniqueConstraint('successor_digest', name=op.f('uq_page_session_successor_digest'))
    )
    op.create_index(op.f('ix_page_session_seen_at'), 'page_session', ['seen_at'])
    # Until now a chat of the page was named by its cookie's digest: everybody stays signed in.
    op.execute("""
        INSERT INTO page_session (external_id, digest, seen_at)
        SELECT external_id, external_id, active_at FROM chat WHERE channel = 'web' AND bot = 'page'
    """)


def downgrade() -> None:
    # A chat is named by its cookie's digest again. Whoever was offered another one meanwhile has to join anew.
    op.execute("""
        UPDATE chat SET external_id =
            (SELECT digest FROM page_session WHERE page_session.external_id = chat.external_id)
        WHERE channel = 'web' AND bot = 'page'
          AND EXISTS (SELECT 1 FROM page_session WHERE page_session.external_id = chat.external_id)
    """)
    op.drop_table('page_session')

"""an office's own questions"""

import sqlalchemy as sa
from alembic import op

import storage.models

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('bank_question',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('committee_id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.Column('imported_at', storage.models.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['committee_id'], ['committee.id'], name=op.f('fk_bank_question_committee_id_committee'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bank_question')),
    sa.UniqueConstraint('committee_id', 'key', name=op.f('uq_bank_question_committee_id_key'))
    )
    op.create_index(op.f('ix_bank_question_committee_id'), 'bank_question', ['committee_id'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_bank_question_committee_id'), table_name='bank_question')
    op.drop_table('bank_question')

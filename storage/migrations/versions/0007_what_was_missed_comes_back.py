"""what was missed comes back; a question a day; ticks kept with the quiz; an office's questions taken out"""

import sqlalchemy as sa
from alembic import op

import storage.models

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('missed_question',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('question', sa.String(length=16), nullable=False),
    sa.Column('since', sa.Date(), nullable=False),
    sa.Column('stability', sa.Double(), nullable=False),
    sa.Column('difficulty', sa.Double(), nullable=False),
    sa.Column('reviewed_on', sa.Date(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_missed_question_member_id_member'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_missed_question')),
    sa.UniqueConstraint('member_id', 'question', name=op.f('uq_missed_question_member_id_question'))
    )
    op.create_index(op.f('ix_missed_question_member_id'), 'missed_question', ['member_id'], unique=False)
    op.create_table('daily_question',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('hour', sa.Integer(), nullable=False),
    sa.Column('since', storage.models.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_daily_question_member_id_member'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_daily_question')),
    sa.UniqueConstraint('member_id', name=op.f('uq_daily_question_member_id'))
    )
    op.add_column('bank_question', sa.Column('removed_at', storage.models.UtcDateTime(timezone=True), nullable=True))
    op.add_column('quiz', sa.Column('ticked', sa.JSON(), nullable=True))
    op.add_column('quiz', sa.Column('day', sa.Date(), nullable=True))
    op.create_index('ix_quiz_member_id_day', 'quiz', ['member_id', 'day'], unique=True)


def downgrade() -> None:
    op.drop_index('ix_quiz_member_id_day', table_name='quiz')
    op.drop_column('quiz', 'day')
    op.drop_column('quiz', 'ticked')
    op.drop_column('bank_question', 'removed_at')
    op.drop_table('daily_question')
    op.drop_index(op.f('ix_missed_question_member_id'), table_name='missed_question')
    op.drop_table('missed_question')

"""requests to a branch's leaders, what was done on paper, large text, and from which bubble a sentence came"""

import sqlalchemy as sa
from alembic import op

import storage.models
import storage.sealed

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('care_request',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('branch_id', sa.Integer(), nullable=False),
    sa.Column('chat_id', sa.Integer(), nullable=True),
    sa.Column('member_id', sa.Integer(), nullable=True),
    sa.Column('text', storage.sealed.Sealed(), nullable=False),
    sa.Column('at', storage.models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('settled_at', storage.models.UtcDateTime(timezone=True), nullable=True),
    sa.Column('granted', sa.Boolean(), nullable=True),
    sa.Column('by_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['branch_id'], ['committee.id'], name=op.f('fk_care_request_branch_id_committee'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['by_id'], ['member.id'], name=op.f('fk_care_request_by_id_member'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['chat_id'], ['chat.id'], name=op.f('fk_care_request_chat_id_chat'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_care_request_member_id_member'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_care_request'))
    )
    for column in ('branch_id', 'chat_id', 'member_id'):
        op.create_index(op.f(f'ix_care_request_{column}'), 'care_request', [column], unique=False)
    op.create_table('paper_record',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('plan_id', sa.Integer(), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('quarter', sa.Integer(), nullable=False),
    sa.Column('done_on', sa.Date(), nullable=False),
    sa.Column('by_id', sa.Integer(), nullable=True),
    sa.Column('at', storage.models.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['by_id'], ['member.id'], name=op.f('fk_paper_record_by_id_member'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_paper_record_member_id_member'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['plan_id'], ['plan.id'], name=op.f('fk_paper_record_plan_id_plan'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_paper_record')),
    sa.UniqueConstraint('plan_id', 'member_id', 'kind', 'quarter', name=op.f('uq_paper_record_plan_id_member_id_kind_quarter'))
    )
    for column in ('plan_id', 'member_id'):
        op.create_index(op.f(f'ix_paper_record_{column}'), 'paper_record', [column], unique=False)
    op.add_column('member', sa.Column('large_text', sa.Boolean(), nullable=True))
    op.add_column('pledge_item', sa.Column('bubble', sa.String(length=40), nullable=True))


def downgrade() -> None:
    op.drop_column('pledge_item', 'bubble')
    op.drop_column('member', 'large_text')
    op.drop_table('paper_record')
    op.drop_table('care_request')

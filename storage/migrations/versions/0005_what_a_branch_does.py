"""what a branch does in a plan: its own plan, meetings, nominations, comments made at a meeting"""

import sqlalchemy as sa
from alembic import op

import storage.models

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('collective_plan',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('plan_id', sa.Integer(), nullable=False),
    sa.Column('branch_id', sa.Integer(), nullable=False),
    sa.Column('passed_on', sa.Date(), nullable=True),
    sa.Column('sent_at', storage.models.UtcDateTime(timezone=True), nullable=True),
    sa.Column('late', sa.Boolean(), nullable=False),
    sa.Column('started_at', storage.models.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['branch_id'], ['committee.id'], name=op.f('fk_collective_plan_branch_id_committee'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['plan_id'], ['plan.id'], name=op.f('fk_collective_plan_plan_id_plan'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_collective_plan')),
    sa.UniqueConstraint('plan_id', 'branch_id', name=op.f('uq_collective_plan_plan_id_branch_id'))
    )
    op.create_index(op.f('ix_collective_plan_branch_id'), 'collective_plan', ['branch_id'], unique=False)
    op.create_index(op.f('ix_collective_plan_plan_id'), 'collective_plan', ['plan_id'], unique=False)
    op.create_table('meeting',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('plan_id', sa.Integer(), nullable=False),
    sa.Column('branch_id', sa.Integer(), nullable=False),
    sa.Column('theme', sa.String(), nullable=False),
    sa.Column('day', sa.Date(), nullable=True),
    sa.Column('conclusion', sa.String(), nullable=False),
    sa.Column('invited_at', storage.models.UtcDateTime(timezone=True), nullable=True),
    sa.Column('at', storage.models.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['branch_id'], ['committee.id'], name=op.f('fk_meeting_branch_id_committee'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['plan_id'], ['plan.id'], name=op.f('fk_meeting_plan_id_plan'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_meeting'))
    )
    op.create_index(op.f('ix_meeting_branch_id'), 'meeting', ['branch_id'], unique=False)
    op.create_index(op.f('ix_meeting_plan_id'), 'meeting', ['plan_id'], unique=False)
    op.create_table('nomination',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('plan_id', sa.Integer(), nullable=False),
    sa.Column('branch_id', sa.Integer(), nullable=False),
    sa.Column('award', sa.String(), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=True),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('by_id', sa.Integer(), nullable=True),
    sa.Column('at', storage.models.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['branch_id'], ['committee.id'], name=op.f('fk_nomination_branch_id_committee'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['by_id'], ['member.id'], name=op.f('fk_nomination_by_id_member'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_nomination_member_id_member'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['plan_id'], ['plan.id'], name=op.f('fk_nomination_plan_id_plan'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_nomination'))
    )
    op.create_index(op.f('ix_nomination_branch_id'), 'nomination', ['branch_id'], unique=False)
    op.create_index(op.f('ix_nomination_member_id'), 'nomination', ['member_id'], unique=False)
    op.create_index(op.f('ix_nomination_plan_id'), 'nomination', ['plan_id'], unique=False)
    op.create_table('attendance',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('meeting_id', sa.Integer(), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('coming', sa.Boolean(), nullable=True),
    sa.Column('present', sa.Boolean(), nullable=True),
    sa.ForeignKeyConstraint(['meeting_id'], ['meeting.id'], name=op.f('fk_attendance_meeting_id_meeting'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_attendance_member_id_member'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attendance')),
    sa.UniqueConstraint('meeting_id', 'member_id', name=op.f('uq_attendance_meeting_id_member_id'))
    )
    op.create_index(op.f('ix_attendance_meeting_id'), 'attendance', ['meeting_id'], unique=False)
    op.create_index(op.f('ix_attendance_member_id'), 'attendance', ['member_id'], unique=False)
    op.create_table('focus_task',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('collective_plan_id', sa.Integer(), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['collective_plan_id'], ['collective_plan.id'], name=op.f('fk_focus_task_collective_plan_id_collective_plan'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_focus_task'))
    )
    op.create_index(op.f('ix_focus_task_collective_plan_id'), 'focus_task', ['collective_plan_id'], unique=False)
    op.create_table('pledge_comment',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('pledge_id', sa.Integer(), nullable=False),
    sa.Column('by_id', sa.Integer(), nullable=True),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('at', storage.models.UtcDateTime(timezone=True), nullable=False),
    sa.Column('told_at', storage.models.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['by_id'], ['member.id'], name=op.f('fk_pledge_comment_by_id_member'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['pledge_id'], ['pledge.id'], name=op.f('fk_pledge_comment_pledge_id_pledge'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pledge_comment'))
    )
    op.create_index(op.f('ix_pledge_comment_pledge_id'), 'pledge_comment', ['pledge_id'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_pledge_comment_pledge_id'), table_name='pledge_comment')
    op.drop_table('pledge_comment')
    op.drop_index(op.f('ix_focus_task_collective_plan_id'), table_name='focus_task')
    op.drop_table('focus_task')
    op.drop_index(op.f('ix_attendance_member_id'), table_name='attendance')
    op.drop_index(op.f('ix_attendance_meeting_id'), table_name='attendance')
    op.drop_table('attendance')
    op.drop_index(op.f('ix_nomination_plan_id'), table_name='nomination')
    op.drop_index(op.f('ix_nomination_member_id'), table_name='nomination')
    op.drop_index(op.f('ix_nomination_branch_id'), table_name='nomination')
    op.drop_table('nomination')
    op.drop_index(op.f('ix_meeting_plan_id'), table_name='meeting')
    op.drop_index(op.f('ix_meeting_branch_id'), table_name='meeting')
    op.drop_table('meeting')
    op.drop_index(op.f('ix_collective_plan_plan_id'), table_name='collective_plan')
    op.drop_index(op.f('ix_collective_plan_branch_id'), table_name='collective_plan')
    op.drop_table('collective_plan')

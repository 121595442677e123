"""posts, exemptions, and when a running plan was changed"""

import sqlalchemy as sa
from alembic import op

import storage.models

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('exemption',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('reason', sa.String(length=32), nullable=False),
    sa.Column('since', sa.Date(), nullable=False),
    sa.Column('until', sa.Date(), nullable=True),
    sa.Column('by_id', sa.Integer(), nullable=True),
    sa.Column('at', storage.models.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['by_id'], ['member.id'], name=op.f('fk_exemption_by_id_member'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_exemption_member_id_member'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_exemption'))
    )
    op.create_index(op.f('ix_exemption_member_id'), 'exemption', ['member_id'], unique=False)
    with op.batch_alter_table('member') as batch:
        batch.add_column(sa.Column('post', sa.String(length=200), nullable=True))
        batch.add_column(sa.Column('post_since', sa.Date(), nullable=True))
        batch.add_column(sa.Column('branch_since', sa.Date(), nullable=True))
    with op.batch_alter_table('role') as batch:
        batch.add_column(sa.Column('since', sa.Date(), nullable=True))
    with op.batch_alter_table('plan') as batch:
        batch.add_column(sa.Column('changed_at', storage.models.UtcDateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('plan') as batch:
        batch.drop_column('changed_at')
    with op.batch_alter_table('role') as batch:
        batch.drop_column('since')
    with op.batch_alter_table('member') as batch:
        batch.drop_column('branch_since')
        batch.drop_column('post_since')
        batch.drop_column('post')
    op.drop_index(op.f('ix_exemption_member_id'), table_name='exemption')
    op.drop_table('exemption')

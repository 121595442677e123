"""the database's own settings: the fingerprint of its key"""

import sqlalchemy as sa
from alembic import op

import storage.sealed

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('setting',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=32), nullable=False),
    sa.Column('value', sa.String(), nullable=True),
    sa.Column('secret', storage.sealed.Sealed(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_setting')),
    sa.UniqueConstraint('key', name=op.f('uq_setting_key'))
    )


def downgrade() -> None:
    op.drop_table('setting')

"""a plan is known by a digest of its source, so that a turn need not read the source"""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

PLAN = sa.table('plan', sa.column('id', sa.Integer), sa.column('source', sa.String), sa.column('digest', sa.String))


def upgrade() -> None:
    op.add_column('plan', sa.Column('digest', sa.String(length=64), nullable=False, server_default=''))
    connection = op.get_bind()
    for number, source in connection.execute(sa.select(PLAN.c.id, PLAN.c.source)).all():
        digest = hashlib.sha256(source.encode()).hexdigest()
        connection.execute(sa.update(PLAN).where(PLAN.c.id == number).values(digest=digest))
    with op.batch_alter_table('plan') as batch_op:
        batch_op.alter_column('digest', server_default=None)


def downgrade() -> None:
    op.drop_column('plan', 'digest')

"""Visits, answers, check-ins, diary, remarks."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "visits",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("knowledge_version", sa.String(64), nullable=False),
        sa.Column("region", sa.String(16), nullable=False),
        sa.Column("begun", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen", sa.DateTime(timezone=True), nullable=False, index=True),
    )
    op.create_table(
        "answers",
        sa.Column("id", sa.Integer, primary_key=True),
        _visit(),
        sa.Column("step", sa.String(64), nullable=False),
        sa.Column("raw", sa.JSON, nullable=False),
        sa.UniqueConstraint("visit_id", "step"),
    )
    op.create_table(
        "check_ins",
        sa.Column("id", sa.Integer, primary_key=True),
        _visit(),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("feeling", sa.String(8), nullable=False),
        sa.Column("signs", sa.JSON, nullable=False),
    )
    op.create_index("check_ins_of_visit", "check_ins", ["visit_id", "at"])
    op.create_table(
        "diary",
        sa.Column("id", sa.Integer, primary_key=True),
        _visit(),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("pain", sa.Integer),
        sa.Column("metres", sa.Double),
        sa.UniqueConstraint("visit_id", "day"),
    )
    op.create_table(
        "remarks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("page", sa.String(160), nullable=False),
        sa.Column("helpful", sa.Boolean),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("reply", sa.Text, nullable=False),
    )


def _visit() -> sa.Column[int]:
    return sa.Column("visit_id", sa.Integer, sa.ForeignKey("visits.id", ondelete="CASCADE"), nullable=False)


def downgrade() -> None:
    for table in ("remarks", "diary", "check_ins", "answers", "visits"):
        op.drop_table(table)

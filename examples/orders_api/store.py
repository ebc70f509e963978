"""Orders in a database: SQLite by default, PostgreSQL where a URL is given."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, create_engine, event, select, text
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    mapped_column,
    relationship,
    selectinload,
    sessionmaker,
)


class Base(DeclarativeBase):
    pass


class OrderRow(Base):
    __tablename__ = "orders"

    id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(index=True)
    status: Mapped[str]
    total_cents: Mapped[int]
    created_at: Mapped[dt.datetime]
    items: Mapped[list[ItemRow]] = relationship(back_populates="order", cascade="all, delete-orphan")


class ItemRow(Base):
    __tablename__ = "order_items"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), index=True)
    sku: Mapped[str]
    quantity: Mapped[int]
    price_cents: Mapped[int]
    order: Mapped[OrderRow] = relationship(back_populates="items")


class Store:
    def __init__(self, url: str) -> None:
        self.engine = create_engine(url)
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _let_writers_wait)
        self._session = sessionmaker(self.engine, expire_on_commit=False)

    def create_tables(self) -> None:
        Base.metadata.create_all(self.engine)

    def ping(self) -> None:
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def create(self, customer_id: str, items: list[tuple[str, int, int]]) -> OrderRow:
        order = OrderRow(
            id=f"ord_{uuid.uuid4().hex[:16]}",
            customer_id=customer_id,
            status="pending",
            total_cents=sum(quantity * price for _, quantity, price in items),
            created_at=dt.datetime.now(dt.UTC),
            items=[ItemRow(sku=sku, quantity=quantity, price_cents=price) for sku, quantity, price in items],
        )
        with self._session.begin() as session:
            session.add(order)
        return order

    def get(self, order_id: str) -> OrderRow | None:
        with self._session() as session:
            return _one(session, order_id)

    def page(self, limit: int, offset: int) -> list[OrderRow]:
        query = (
            select(OrderRow)
            .options(selectinload(OrderRow.items))
            .order_by(OrderRow.created_at.desc(), OrderRow.id)
        )
        with self._session() as session:
            return list(session.scalars(query.limit(limit).offset(offset)))

    def set_status(self, order_id: str, status: str, *, unless: str = "") -> OrderRow | None:
        """The order with its new status; unchanged where it has the status `unless` already."""
        with self._session.begin() as session:
            order = _one(session, order_id)
            if order is not None and order.status != unless:
                order.status = status
            return order


def _one(session: Session, order_id: str) -> OrderRow | None:
    return session.scalar(
        select(OrderRow).options(selectinload(OrderRow.items)).where(OrderRow.id == order_id)
    )


def _let_writers_wait(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]  # a DB-API connection
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.close()

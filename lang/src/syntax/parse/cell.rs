//! The top level: items, statements and session commands in any order.

use crate::syntax::ast::Body;
use crate::syntax::item::{Cell, CellBody, Step};
use crate::syntax::lexer::Value;
use crate::syntax::parse::Parser;
use crate::syntax::token::TokenKind as T;

impl Parser<'_> {
    /// `program = List(item | stmt)`, with commands between.
    pub(super) fn cell(&mut self) -> Cell {
        let mut cell = Cell::default();
        let mut suppressed = false;
        self.no_separator("a statement");
        loop {
            while self.peek().separates() {
                suppressed |= self.at(T::Semi);
                self.bump();
            }
            if self.at(T::End) {
                break;
            }
            suppressed = false;
            let before = self.pos;
            if self.at(T::Command) {
                self.command(&mut cell);
            } else if self.at_item() {
                let item = self.item();
                cell.items.push(item);
                self.after_stmt(before);
            } else {
                let stmt = self.stmt();
                cell.body.order.push(Step::Stmt(stmt));
                self.after_stmt(before);
            }
        }
        let order = std::mem::take(&mut cell.body.order);
        let body: Body = std::mem::take(&mut self.body);
        cell.body = CellBody { body, order, suppressed };
        cell
    }

    fn command(&mut self, cell: &mut Cell) {
        if let Some(Value::Command(command)) = self.value() {
            let index = u32::try_from(cell.commands.len()).unwrap_or(u32::MAX);
            cell.commands.push(command.clone());
            cell.body.order.push(Step::Command(index));
        }
        self.bump();
    }
}

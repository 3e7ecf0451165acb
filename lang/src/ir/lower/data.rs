//! Data: lists, maps, records, variants, fields, templates.
//!
//! Never: writes to a value another holder can see (`Fresh` copies first).

use crate::hir::{Expr, ExprKind, TemplatePart};
use crate::ir::core::{Aux, Op, Piece, Var};
use crate::ir::lower::build::Builder;
use crate::types::ty::Name;
use ag_runtime::value::shape::{Shape, ShapeId, shape};

impl<'h> Builder<'_, 'h> {
    pub fn data(&mut self, expr: &'h Expr) -> Var {
        use ExprKind as K;
        let shape = self.shape(&expr.ty);
        match &expr.kind {
            K::List(items) => {
                let items = self.exprs(items);
                self.emit(shape, Op::Aux(Aux::List(shape), items))
            }
            K::Set(items) => {
                let items = self.exprs(items);
                self.emit(shape, Op::Aux(Aux::Set(shape), items))
            }
            K::Vector(items) => {
                let items = self.exprs(items);
                self.emit(shape, Op::Aux(Aux::Vector, items))
            }
            K::Map(pairs) => {
                let mut words = Vec::with_capacity(pairs.len() * 2);
                for (key, value) in pairs {
                    words.push(self.expr(key));
                    words.push(self.expr(value));
                }
                self.emit(shape, Op::Aux(Aux::Map(shape), words))
            }
            K::Tuple(items) => {
                let items = self.exprs(items);
                self.emit(shape, Op::Record(items))
            }
            K::Record { fields, evaluation } => self.record(shape, fields, evaluation),
            K::Update { base, fields } => self.update(shape, base, fields),
            K::Variant { tag, fields } => {
                let fields = self.exprs(fields);
                self.variant(shape, *tag, fields)
            }
            K::Field { base, index } => {
                let base = self.expr(base);
                self.emit(shape, Op::Field(base, *index))
            }
            K::Template(parts) => {
                let (pieces, args) = self.pieces(parts);
                self.emit(shape, Op::Aux(Aux::Template(pieces), args))
            }
            K::Prompt(parts) => {
                let (pieces, args) = self.pieces(parts);
                self.emit(shape, Op::Aux(Aux::Prompt(pieces), args))
            }
            _ => self.unit(),
        }
    }

    pub fn variant(&mut self, shape: ShapeId, tag: u32, fields: Vec<Var>) -> Var {
        if fields.is_empty() {
            return self.constant(shape, u64::from(tag) << 1 | 1);
        }
        self.emit(shape, Op::Variant(tag, fields))
    }

    /// Fields in declaration order, evaluated as they were written.
    fn record(&mut self, shape: ShapeId, fields: &'h [Expr], evaluation: &[u32]) -> Var {
        let mut values: Vec<Option<Var>> = vec![None; fields.len()];
        let written = evaluation.iter().map(|at| *at as usize);
        for at in written.chain(0..fields.len()) {
            if let (Some(slot), Some(field)) = (values.get_mut(at), fields.get(at))
                && slot.is_none()
            {
                *slot = Some(self.expr(field));
            }
        }
        let values = values.into_iter().flatten().collect();
        self.emit(shape, Op::Record(values))
    }

    fn update(&mut self, shape: ShapeId, base: &'h Expr, fields: &'h [(u32, Expr)]) -> Var {
        let base = self.expr(base);
        let values: Vec<(u32, Var)> =
            fields.iter().map(|(index, value)| (*index, self.expr(value))).collect();
        let fresh = self.emit(shape, Op::Fresh(base));
        for (index, value) in values {
            self.run(Op::PutField(fresh, index, value));
        }
        fresh
    }

    fn pieces(&mut self, parts: &'h [TemplatePart]) -> (Vec<Piece>, Vec<Var>) {
        let mut pieces = Vec::with_capacity(parts.len());
        let mut args = Vec::new();
        for part in parts {
            match part {
                TemplatePart::Text(text) => pieces.push(Piece::Text(text.clone())),
                TemplatePart::Hole(hole) => {
                    let var = self.expr(hole);
                    pieces.push(Piece::Hole(self.shape_of(var)));
                    args.push(var);
                }
            }
        }
        (pieces, args)
    }

    /// The shape of a record's or tuple's field.
    pub fn field_shape(&self, of: ShapeId, index: u32) -> ShapeId {
        let found = match shape(of) {
            Shape::Tuple(items) => items.get(index as usize).copied(),
            Shape::Record(record) => record.fields.get(index as usize).map(|field| field.shape),
            _ => None,
        };
        found.unwrap_or(ShapeId::UNIT)
    }

    pub fn text(&mut self, text: Name) -> Var {
        self.emit(ShapeId::TEXT, Op::Text(text))
    }
}

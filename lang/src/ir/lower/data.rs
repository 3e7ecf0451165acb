//! Data: lists, maps, records, variants, fields, templates.
//!
//! Never: writes to a value another holder can see (`Fresh` copies first).

use crate::hir::{Expr, ExprKind, TemplatePart};
use crate::ir::core::{Aux, Op, Piece, Var};
use crate::ir::lower::build::Builder;
use crate::ir::lower::place::element_shape;
use crate::types::ty::Name;
use ag_runtime::builtin::{self, BuiltinId};
use ag_runtime::value::shape::{Shape, ShapeId, shape};

/// Elements of a literal that are made together.
const PART: usize = 256;

/// How the parts of a large literal become one: a builtin, and the shapes it is told.
struct Whole {
    joined_by: Option<BuiltinId>,
    shapes: Vec<ShapeId>,
}

/// The `+` whose operands are as said.
fn joins(operands: &str) -> Option<BuiltinId> {
    let is_meant = |id: &BuiltinId| id.get().is_some_and(|row| row.signature.starts_with(operands));
    builtin::operators("+").iter().copied().find(is_meant)
}

impl<'h> Builder<'_, 'h> {
    pub fn data(&mut self, expr: &'h Expr) -> Var {
        use ExprKind as K;
        let shape = self.shape(&expr.ty);
        match &expr.kind {
            K::List(items) => self.list(shape, items),
            K::Set(items) if items.len() > PART => {
                let list = ShapeId::list(element_shape(shape));
                let items = self.list(list, items);
                self.emit(shape, Op::Aux(Aux::ListToSet(list), vec![items]))
            }
            K::Set(items) => {
                let items = self.exprs(items);
                self.emit(shape, Op::Aux(Aux::Set(shape), items))
            }
            K::Vector(items) if items.len() > PART => {
                let items = self.list(ShapeId::list(ShapeId::FLOAT), items);
                self.emit(shape, Op::Aux(Aux::ListToVector, vec![items]))
            }
            K::Vector(items) => {
                let items = self.exprs(items);
                self.emit(shape, Op::Aux(Aux::Vector, items))
            }
            K::Map(pairs) => self.map(shape, pairs),
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
            K::Template(parts) => self.template(shape, parts),
            K::Prompt(parts) => {
                let (pieces, args) = self.pieces(parts);
                self.emit(shape, Op::Aux(Aux::Prompt(pieces), args))
            }
            _ => self.unit(),
        }
    }

    /// A list literal, part by part: an operation has so many operands at most, and what is put into the list need
    /// not be held until the last element is there.
    fn list(&mut self, shape: ShapeId, items: &'h [Expr]) -> Var {
        let element = element_shape(shape);
        self.parts(
            shape,
            items,
            Whole { joined_by: joins("(a: List<T>"), shapes: vec![element] },
            |this, part| {
                let items = this.exprs(part);
                Op::Aux(Aux::List(shape), items)
            },
        )
    }

    fn map(&mut self, of: ShapeId, pairs: &'h [(Expr, Expr)]) -> Var {
        let shapes = match shape(of) {
            Shape::Map(key, value) => vec![*key, *value],
            _ => Vec::new(),
        };
        let whole = Whole { joined_by: builtin::member("Map", "merge"), shapes };
        self.parts(of, pairs, whole, |this, part| {
            let mut words = Vec::with_capacity(part.len() * 2);
            for (key, value) in part {
                words.push(this.expr(key));
                words.push(this.expr(value));
            }
            Op::Aux(Aux::Map(of), words)
        })
    }

    fn template(&mut self, shape: ShapeId, parts: &'h [TemplatePart]) -> Var {
        let whole = Whole { joined_by: joins("(a: Text"), shapes: Vec::new() };
        self.parts(shape, parts, whole, |this, part| {
            let (pieces, args) = this.pieces(part);
            Op::Aux(Aux::Template(pieces), args)
        })
    }

    /// What `make` makes of each part, joined in order.
    fn parts<T>(
        &mut self,
        shape: ShapeId,
        items: &'h [T],
        whole: Whole,
        make: impl Fn(&mut Self, &'h [T]) -> Op,
    ) -> Var {
        let size = if whole.joined_by.is_some() { PART } else { items.len().max(1) };
        let (first, rest) = items.split_at(items.len().min(size));
        let op = make(self, first);
        let mut made = self.emit(shape, op);
        for part in rest.chunks(size) {
            let op = make(self, part);
            let more = self.emit(shape, op);
            let Some(id) = whole.joined_by else { continue };
            let join = Op::Builtin { id, args: vec![made, more], shapes: whole.shapes.clone() };
            made = self.emit(shape, join);
        }
        made
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

//! Channels: the row `channel` of section 11 and the members of its value.

use crate::builtin::declare::{Moved, Outcome, Word, builtins};
use crate::context::Cx;
use crate::coord::channel::Channel;
use crate::fault::{Faulted, code};
use crate::value::native::{native, payload};
use crate::value::owned::Owned;
use crate::value::prelude::backpressure;
use crate::value::record::{self, RecordBuf};
use crate::value::shape::{ERR, OK, Shape, ShapeId, intern};
use std::sync::Arc;

builtins! {
    /// A queue between agents and tasks. Who sends to a full one waits until there is room.
    call "channel" "(capacity: Int = 64) -> Channel<T>"
        example "let jobs : Channel<Int> := @channel(capacity: 8)" => ""
        = |cx, capacity: i64, item: ShapeId| open(cx, capacity, item);
    /// Puts an item in, waiting while the channel is full; R0705 when it is closed.
    Channel "send" "(self: Channel<T>, item: T) -> Unit"
        example "jobs.send(1)" => ""
        effects ["send", "suspend"]
        = |cx, channel: Word, item: Moved, of: ShapeId| {
            let item = Owned::new(item.0, of);
            let channel = opened(cx, channel)?;
            cx.channel_send(&channel, item)
        };
    /// As `send`, but gives `Err(Backpressure(len))` instead of waiting.
    Channel "try_send" "(self: Channel<T>, item: T) -> Result<Unit, Backpressure>"
        example "jobs.try_send(1)" => ""
        effects ["send"]
        = |cx, channel: Word, item: Moved, of: ShapeId| {
            let item = Owned::new(item.0, of);
            let channel = opened(cx, channel)?;
            let sent = cx.channel_try_send(&channel, item)?;
            Ok(Moved(sent_word(sent)))
        };
    /// Takes the next item, waiting while there is none; `None` when the channel is closed and empty.
    Channel "recv" "(self: Channel<T>) -> T?"
        example "jobs.recv()" => ""
        effects ["suspend"]
        = |cx, channel: Word, of: ShapeId| {
            let channel = opened(cx, channel)?;
            let item = cx.channel_recv(&channel)?;
            let none = record::NONE;
            Ok(Moved(item.map_or(none, |item| record::some(ShapeId::option(of), item.into_word()))))
        };
    /// Nothing can be sent any more; what is in the channel can still be received. Closing it again does nothing.
    Channel "close" "(self: Channel<T>) -> Unit"
        example "jobs.close()" => ""
        effects ["send"]
        = |cx, channel: Word, _of: ShapeId| {
            opened(cx, channel)?.close();
            Ok(())
        };
}

fn open(cx: &mut Cx, capacity: i64, item: ShapeId) -> Outcome<Moved> {
    let Some(capacity) = usize::try_from(capacity).ok().filter(|&capacity| capacity > 0) else {
        let text = format!("a channel has room for 1 item at least, not for {capacity}");
        cx.fail(code::INVALID_CONVERSION, text);
        return Err(Faulted);
    };
    Ok(Moved(native(intern(Shape::Channel(item)), Channel::new(capacity))))
}

fn opened(cx: &mut Cx, channel: Word) -> Outcome<Arc<Channel>> {
    payload(channel.0).ok_or_else(|| {
        cx.fail(code::INTERNAL, "a value that is no channel was used as one");
        Faulted
    })
}

/// `Ok(())` or `Err(Backpressure(len))`.
fn sent_word(sent: Result<(), usize>) -> u64 {
    let shape = ShapeId::result(ShapeId::UNIT, backpressure());
    match sent {
        Ok(()) => record::variant(shape, OK, &[0]),
        Err(len) => {
            let len = u64::try_from(len).unwrap_or(u64::MAX);
            let error = RecordBuf::new(backpressure(), &[len]).into_word();
            record::variant(shape, ERR, &[error])
        }
    }
}

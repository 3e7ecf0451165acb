//! Typed handles to counted objects: a borrowed one and an owned one for each kind.
//!
//! The one unsafe step is taking a word for a handle (`from_word`); what follows is safe.

/// Defines `$Ref<'a>` (borrowed, Copy) and `$Buf` (owned, released on drop) for one kind of object.
macro_rules! handle {
    ($(#[$doc:meta])* $Ref:ident, $Buf:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        #[repr(transparent)]
        pub struct $Ref<'a> {
            word: u64,
            life: std::marker::PhantomData<&'a ()>,
        }

        /// The owned form: gives its count up when dropped.
        #[repr(transparent)]
        pub struct $Buf {
            word: u64,
        }

        impl<'a> $Ref<'a> {
            /// # Safety
            /// The word is a live object of this kind, and stays one for `'a`.
            #[must_use]
            pub unsafe fn from_word(word: u64) -> Self {
                Self { word, life: std::marker::PhantomData }
            }

            #[must_use]
            pub fn word(self) -> u64 {
                self.word
            }

            /// The shape it was made with.
            #[must_use]
            pub fn shape(self) -> $crate::value::shape::ShapeId {
                $crate::value::count::object_shape(self.word)
                    .unwrap_or($crate::value::shape::ShapeId::UNIT)
            }

            /// One more holder.
            #[must_use]
            pub fn to_owned(self) -> $Buf {
                $crate::value::count::retain_counted(self.word);
                $Buf { word: self.word }
            }
        }

        impl $Buf {
            /// # Safety
            /// The word is a live object of this kind, and the caller gives one count of it up.
            #[must_use]
            pub unsafe fn from_word(word: u64) -> Self {
                Self { word }
            }

            #[must_use]
            pub fn borrow(&self) -> $Ref<'_> {
                $Ref { word: self.word, life: std::marker::PhantomData }
            }

            /// Hands the count on.
            #[must_use]
            pub fn into_word(self) -> u64 {
                let word = self.word;
                std::mem::forget(self);
                word
            }

            /// Hands the count on, with the shape.
            #[must_use]
            pub fn into_owned(self) -> $crate::value::owned::Owned {
                let shape = self.borrow().shape();
                $crate::value::owned::Owned::new(self.into_word(), shape)
            }
        }

        impl Clone for $Buf {
            fn clone(&self) -> Self {
                self.borrow().to_owned()
            }
        }

        impl Drop for $Buf {
            fn drop(&mut self) {
                $crate::value::count::release_counted(self.word);
            }
        }

        impl std::fmt::Debug for $Buf {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&$crate::value::show::quoted(self.word, self.borrow().shape()))
            }
        }
    };
}

pub(crate) use handle;

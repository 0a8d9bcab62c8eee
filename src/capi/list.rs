//! Lists of associations.

use std::ffi::{CString, c_char};
use std::ptr;

use super::handle::take_back;
use crate::association::{Association, List};
use crate::memory::{self, OutOfMemory};

/// One pair of a list: an FPGA image that is associated with an ECS image, as the service describes
/// it.
///
/// Only the library allocates entries, and later versions add fields at the end alone: use pointers
/// to entries, never arrays of them or their size. No text is NULL: what the service did not give,
/// or gave in another type than documented, is "". A text that repeats the token is withheld: "the
/// answer repeats the token" stands in its place. All text belongs to the list and lives as long as
/// it.
#[repr(C)]
pub struct fpga_assoc_entry {
    /// The ECS image's id.
    pub ecs_id: *const c_char,
    /// The FPGA image's id.
    pub fpga_id: *const c_char,
    /// The FPGA image's name.
    pub name: *const c_char,
    /// The FPGA image's description.
    pub description: *const c_char,
    /// The FPGA image's status, such as "active".
    pub status: *const c_char,
    /// When the FPGA image was made, in UTC, such as "2017-10-16 07:46:06".
    pub created_at: *const c_char,
    /// What the service says about the FPGA image's making.
    pub message: *const c_char,
    /// More about the FPGA image, as JSON.
    pub metadata: *const c_char,
    /// Where the FPGA image's logs are.
    pub log_directory: *const c_char,
    /// The FPGA image's size in MB; 0 where the service did not give it.
    pub size_mb: u64,
    /// Whether the FPGA image can't be deleted because it is associated.
    pub is_protected: bool,
}

/// Associations, as they were when they were listed. Nothing in it changes, so any number of
/// threads may read it at once.
pub struct fpga_assoc_list {
    entries: Vec<fpga_assoc_entry>,
    json: CString,
    /// All texts of the entries, one behind the other, each with its NUL.
    _texts: Vec<u8>,
}

// SAFETY: the entries point into `_texts`, whose bytes nothing changes, and which stay where they
// are when the list moves.
unsafe impl Send for fpga_assoc_list {}
// SAFETY: as above.
unsafe impl Sync for fpga_assoc_list {}

const TEXTS: usize = 9;

impl fpga_assoc_list {
    /// A list as C reads it.
    pub fn new(list: &List) -> Result<Self, OutOfMemory> {
        let count = list.associations().len();
        let (mut texts, mut places, mut entries) = (Vec::new(), Vec::new(), Vec::new());
        memory::reserve_exact(&mut places, count)?;
        memory::reserve_exact(&mut entries, count)?;
        for association in list.associations() {
            places.push((
                write_texts(association, &mut texts)?,
                association.size_mb,
                association.is_protected,
            ));
        }
        let at = |place: usize| -> *const c_char {
            texts
                .get(place..)
                .map_or(c"".as_ptr(), |text| text.as_ptr().cast())
        };
        entries.extend(places.into_iter().map(|(places, size_mb, is_protected)| {
            let [
                ecs_id,
                fpga_id,
                name,
                description,
                status,
                created_at,
                message,
                metadata,
                log_directory,
            ] = places.map(at);
            fpga_assoc_entry {
                ecs_id,
                fpga_id,
                name,
                description,
                status,
                created_at,
                message,
                metadata,
                log_directory,
                size_mb,
                is_protected,
            }
        }));
        Ok(Self {
            entries,
            // JSON text has every NUL escaped.
            json: CString::new(list.json()?).unwrap_or_default(),
            _texts: texts,
        })
    }
}

/// Appends the texts in the order of the entry's fields, and tells where each begins.
fn write_texts(
    association: &Association,
    texts: &mut Vec<u8>,
) -> Result<[usize; TEXTS], OutOfMemory> {
    let fields = [
        &association.ecs_id,
        &association.fpga_id,
        &association.name,
        &association.description,
        &association.status,
        &association.created_at,
        &association.message,
        &association.metadata,
        &association.log_directory,
    ];
    let length = fields.iter().map(|text| text.len() + 1).sum();
    memory::reserve(texts, length)?;
    Ok(fields.map(|text| {
        let place = texts.len();
        // A NUL inside a text would hide its rest from C.
        texts.extend(text.bytes().map(|byte| if byte == 0 { b' ' } else { byte }));
        texts.push(0);
        place
    }))
}

/// How many pairs a list has; 0 for NULL.
///
/// Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_list_len(list: Option<&fpga_assoc_list>) -> usize {
    list.map_or(0, |list| list.entries.len())
}

/// One pair of a list, counted from 0; NULL past the end, and for NULL.
///
/// Returns an entry that belongs to the list and lives as long as it. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_list_get(
    list: Option<&fpga_assoc_list>,
    index: usize,
) -> *const fpga_assoc_entry {
    list.and_then(|list| list.entries.get(index))
        .map_or(ptr::null(), ptr::from_ref)
}

/// The list as one JSON document of the service's form, all pages put together; "" for NULL.
///
/// Fields that this library does not know, and numbers of any size, are as they came; a field of the
/// document or of an ECS image that several pages have is that of the first. A value that repeats the
/// token is withheld.
///
/// Returns text that ends in NUL, never NULL; it belongs to the list and lives as long as it.
/// Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_list_json(list: Option<&fpga_assoc_list>) -> *const c_char {
    list.map_or(c"", |list| &list.json).as_ptr()
}

/// Frees a list, and with it its entries and texts. NULL is ignored.
///
/// Thread-safe, as long as nobody else uses the list any more.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_list_free(list: Option<Box<fpga_assoc_list>>) {
    take_back(list);
}

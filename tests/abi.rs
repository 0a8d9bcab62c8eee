//! What compiled callers rely on stays within a major version. Each line of the baseline is compared
//! with the header, with what the C compiler makes of it, and with the shared library.

use std::fs;

use support::abi::{self, BASELINE, changes, of_header, report};
use support::c::{Toolchain, root};
use support::needs;
use support::package::{dynamic, exports};

support::tests! {
    the_abi_is_the_committed_one,
    the_shared_library_exports_the_functions_of_the_baseline_and_nothing_else,
    a_break_is_found_and_named,
    an_addition_is_told_and_is_no_break,
    names_of_arguments_attributes_macros_and_order_are_no_part_of_it,
}

fn header() -> String {
    needs::that(
        cfg!(target_pointer_width = "64"),
        "the baseline is that of 64 bits",
    );
    fs::read_to_string(root().join("include/fpga_associate.h")).unwrap()
}

/// The header with one text in place of another that it has once.
fn with(header: &str, before: &str, after: &str) -> String {
    assert_eq!(header.matches(before).count(), 1, "{before}");
    header.replace(before, after)
}

fn the_abi_is_the_committed_one() {
    needs::tools(&["readelf"]);
    let toolchain = Toolchain::new().unwrap();
    let soname = dynamic(&toolchain.library(), "SONAME").unwrap().concat();
    let soname = soname.split(['[', ']']).nth(1).unwrap();
    let mut abi = of_header(&header()).unwrap();
    abi.insert("library soname".to_owned(), soname.to_owned());

    let path = root().join(BASELINE);
    if std::env::var_os("UPDATE_ABI").is_some() {
        fs::write(&path, abi::write(&abi)).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let changes = changes(&abi::read(&committed), &abi);
    assert!(changes.is_empty(), "{}", report(&changes));
    assert_eq!(committed, abi::write(&abi), "the form of {BASELINE}");
}

fn the_shared_library_exports_the_functions_of_the_baseline_and_nothing_else() {
    needs::tools(&["nm"]);
    let toolchain = Toolchain::new().unwrap();
    let committed = fs::read_to_string(root().join(BASELINE)).unwrap();
    let functions = abi::functions(&abi::read(&committed));
    assert!(functions.contains(&"fpga_associate".to_owned()));
    assert_eq!(exports(&toolchain.library()).unwrap(), functions);
}

fn a_break_is_found_and_named() {
    let header = header();
    let before = of_header(&header).unwrap();
    let attempts = "                                           uint32_t attempts)";
    for (text, instead, told) in [
        // A number.
        (
            "FPGA_ASSOC_TIMEOUT = 6,",
            "FPGA_ASSOC_TIMEOUT = 12,",
            "  break: changed\n    - constant fpga_assoc_status.FPGA_ASSOC_TIMEOUT: 6\n    + constant fpga_assoc_status.FPGA_ASSOC_TIMEOUT: 12\n",
        ),
        // A constant less.
        (
            "FPGA_ASSOC_CONFLICT = 24,",
            "",
            "  break: removed\n    - constant fpga_assoc_status.FPGA_ASSOC_CONFLICT: 24\n",
        ),
        // An argument's type.
        (
            attempts,
            &attempts.replace("uint32_t", "uint64_t"),
            "    - function fpga_assoc_config_set_max_attempts: int32_t (fpga_assoc_config *, uint32_t)\n    \
                 + function fpga_assoc_config_set_max_attempts: int32_t (fpga_assoc_config *, uint64_t)\n",
        ),
        // An argument more.
        (
            attempts,
            &attempts.replace("uint32_t attempts", "uint32_t attempts, bool exactly"),
            "int32_t (fpga_assoc_config *, uint32_t, bool)\n",
        ),
        // A result's type.
        (
            "int32_t fpga_assoc_error_http_status(",
            "int64_t fpga_assoc_error_http_status(",
            "    + function fpga_assoc_error_http_status: int64_t (const fpga_assoc_error *)\n",
        ),
        // A function less.
        (
            "FPGA_ASSOC_API void fpga_assoc_close_idle(void);",
            "",
            "  break: removed\n    - function fpga_assoc_close_idle: void (void)\n",
        ),
        // What a callback is given.
        (
            "(*fpga_assoc_log_fn)(void *context, int32_t level,",
            "(*fpga_assoc_log_fn)(void *context, uint8_t level,",
            "    + callback fpga_assoc_log_fn: void (void *, uint8_t, const char *)\n",
        ),
        // A field's type, a field less, and one in the middle.
        (
            "  uint64_t size_mb;",
            "  int64_t size_mb;",
            "    + field fpga_assoc_entry.size_mb: int64_t at 72\n",
        ),
        (
            "  bool is_protected;",
            "",
            "  break: removed\n    - field fpga_assoc_entry.is_protected: bool at 80\n",
        ),
        (
            "  uint64_t size_mb;",
            "  uint64_t size_kb;\n  uint64_t size_mb;",
            "  break: not at the end of its struct\n    + field fpga_assoc_entry.size_kb: uint64_t at 72\n",
        ),
    ] {
        let after = of_header(&with(&header, text, instead)).unwrap();
        let report = report(&changes(&before, &after));
        assert!(report.contains(told), "{text}: {report}");
        assert!(report.contains("needs a new major version"), "{report}");
        assert!(report.contains("UPDATE_ABI=1 cargo test --test abi"));
    }

    let swapped = header
        .replace("  const char *ecs_id;", "  const char *x;")
        .replace("  const char *fpga_id;", "  const char *ecs_id;")
        .replace("  const char *x;", "  const char *fpga_id;");
    let changes = changes(&before, &of_header(&swapped).unwrap());
    assert_eq!(changes.iter().filter(|change| change.breaks).count(), 2);
    let report = report(&changes);
    assert!(
        report.contains("    + field fpga_assoc_entry.ecs_id: const char * at 8\n"),
        "{report}"
    );
}

fn an_addition_is_told_and_is_no_break() {
    let header = header();
    let before = of_header(&header).unwrap();
    for (text, instead, lines) in [
        (
            "void fpga_assoc_close_idle(void);",
            "void fpga_assoc_close_idle(void);\nvoid fpga_assoc_close_all(void);",
            1,
        ),
        (
            "FPGA_ASSOC_TIMEOUT = 6,",
            "FPGA_ASSOC_TIMEOUT = 6,\nFPGA_ASSOC_NEW = 98,",
            1,
        ),
        (
            "typedef struct fpga_assoc_list fpga_assoc_list;",
            "typedef struct fpga_assoc_list fpga_assoc_list;\ntypedef struct fpga_assoc_new fpga_assoc_new;",
            1,
        ),
        // With the struct's size.
        (
            "  bool is_protected;",
            "  bool is_protected;\n  const char *more;",
            2,
        ),
    ] {
        let after = of_header(&with(&header, text, instead)).unwrap();
        let changes = changes(&before, &after);
        let report = report(&changes);
        assert_eq!(changes.len(), lines, "{report}");
        assert!(changes.iter().all(|change| !change.breaks), "{report}");
        assert!(report.contains("  addition"), "{report}");
        assert!(!report.contains("break"), "{report}");
    }
}

fn names_of_arguments_attributes_macros_and_order_are_no_part_of_it() {
    let header = header();
    let before = of_header(&header).unwrap();
    let macros = "#include <stdint.h>\n\
                  #define FPGA_ASSOC_SOME_SINCE(major, \\\n    minor)\n\
                  #define FPGA_ASSOC_SOME_CHECK \\\n    __attribute__((warn_unused_result))\n";
    let close = "FPGA_ASSOC_API void fpga_assoc_close_idle(void);";
    let list = "typedef struct fpga_assoc_list fpga_assoc_list;";
    let moved = with(
        &with(&header, close, ""),
        list,
        &format!("{list}\n/* Here. */\n{close}"),
    );
    let other = with(&moved, "#include <stdint.h>\n", macros)
        .replace(
            "\nint32_t fpga_assoc",
            "\nFPGA_ASSOC_SOME_CHECK\nint32_t fpga_assoc",
        )
        .replace(
            " int32_t fpga_assoc",
            " FPGA_ASSOC_SOME_CHECK\nint32_t fpga_assoc",
        )
        .replace("const char *fpga_id,", "const char *image,")
        .replace("(void);", "(void) FPGA_ASSOC_SOME_SINCE(0, 1);");
    assert!(other.matches("FPGA_ASSOC_SOME_CHECK").count() > 10);
    let changes = changes(&before, &of_header(&other).unwrap());
    assert!(changes.is_empty(), "{}", report(&changes));
}

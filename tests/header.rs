//! The header is what the sources say, compiles everywhere, and agrees with the library.

use std::fs;
use std::process::Command;

use support::c::{Toolchain, root, run};
use support::needs;

support::tests! {
    the_committed_header_is_what_the_sources_generate,
    the_header_compiles_alone_and_twice_as_every_c_with_gcc,
    the_header_compiles_alone_and_twice_as_every_c_with_clang,
    the_header_compiles_alone_and_twice_as_every_cpp_with_gcc,
    the_header_compiles_alone_and_twice_as_every_cpp_with_clang,
    a_status_that_is_not_looked_at_is_a_warning,
    every_function_whose_failure_nothing_else_tells_is_marked,
    the_version_macros_the_library_and_cargo_agree,
    every_constant_has_its_number_its_name_and_a_help_text,
    every_function_tells_its_results_and_its_thread_safety,
}

const GENERATED: &str = include_str!(concat!(env!("OUT_DIR"), "/fpga_associate.h"));

const C_STANDARDS: &[&str] = &["c99", "c11", "c17", "c2x"];
const CPP_STANDARDS: &[&str] = &["c++11", "c++14", "c++17", "c++20"];

fn the_committed_header_is_what_the_sources_generate() {
    let path = root().join("include/fpga_associate.h");
    if std::env::var_os("UPDATE_HEADER").is_some() {
        fs::write(&path, GENERATED).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == GENERATED,
        "include/fpga_associate.h is stale. Renew it with: UPDATE_HEADER=1 cargo test --test header"
    );
}

fn the_header_compiles_alone_and_twice_as_every_c_with_gcc() {
    the_header_compiles_alone_and_twice("gcc", "c", C_STANDARDS);
}

fn the_header_compiles_alone_and_twice_as_every_c_with_clang() {
    the_header_compiles_alone_and_twice("clang", "c", C_STANDARDS);
}

fn the_header_compiles_alone_and_twice_as_every_cpp_with_gcc() {
    the_header_compiles_alone_and_twice("g++", "c++", CPP_STANDARDS);
}

fn the_header_compiles_alone_and_twice_as_every_cpp_with_clang() {
    the_header_compiles_alone_and_twice("clang++", "c++", CPP_STANDARDS);
}

fn the_header_compiles_alone_and_twice(compiler: &str, language: &str, standards: &[&str]) {
    needs::tools(&[compiler]);
    let folder = tempfile::tempdir().unwrap();
    let alone = "#include \"fpga_associate.h\"\n";
    let twice = alone.repeat(2);
    for standard in standards {
        for text in [alone, &twice] {
            let source = folder.path().join("header.txt");
            fs::write(&source, text).unwrap();
            run(Command::new(compiler)
                .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"])
                .args(["-Wshadow", "-Wconversion", "-Wundef"])
                .arg(format!("-std={standard}"))
                .args(["-x", language, "-I"])
                .arg(root().join("include"))
                .arg(&source))
            .unwrap_or_else(|error| panic!("{compiler} -std={standard}: {error}"));
        }
    }
}

/// A status that nobody looks at is a warning; a function that returns something else is not.
fn a_status_that_is_not_looked_at_is_a_warning() {
    let toolchain = Toolchain::new().unwrap();
    let body = |lines: &str| {
        format!(
            "#include \"fpga_associate.h\"
            int main(void) {{
                fpga_assoc_config *config = fpga_assoc_config_new();
                {lines}
                fpga_assoc_config_free(config);
                return 0;
            }}"
        )
    };
    for (lines, more, compiles) in [
        ("fpga_assoc_error_status(NULL);", "-DNOTHING", true),
        (
            "int32_t status = fpga_assoc_config_set_confirm(config, true); (void)status;",
            "-DNOTHING",
            true,
        ),
        (
            "fpga_assoc_config_set_confirm(config, true);",
            "-DNOTHING",
            false,
        ),
        (
            "fpga_associate(\"\", \"\", \"\", \"\", \"\");",
            "-DNOTHING",
            false,
        ),
        (
            "fpga_associate(\"\", \"\", \"\", \"\", \"\");",
            "-DFPGA_ASSOC_MUST_CHECK=",
            true,
        ),
    ] {
        let compiled = toolchain.compile_text("unchecked", &body(lines), &[more]);
        assert_eq!(compiled.is_ok(), compiles, "{lines}: {compiled:?}");
    }
}

/// All that return a status, but for those that can't fail, and a refusal of credentials, which leaves the
/// caller without them either way.
fn every_function_whose_failure_nothing_else_tells_is_marked() {
    const UNMARKED: [&str; 5] = [
        "fpga_assoc_grant_refuse",
        "fpga_assoc_error_status",
        "fpga_assoc_error_http_status",
        "fpga_assoc_error_observed",
        "fpga_assoc_plan_result",
    ];
    let mut marked = 0;
    for declaration in GENERATED.split("\nFPGA_ASSOC_API").skip(1) {
        let (declaration, _) = declaration.split_once(';').unwrap();
        let is_marked = declaration.trim().starts_with("FPGA_ASSOC_MUST_CHECK");
        let returns_status =
            declaration.contains("\nint32_t fpga_") || declaration.starts_with(" int32_t fpga_");
        let is_unmarked = UNMARKED
            .iter()
            .any(|name| declaration.contains(&format!("{name}(")));
        assert_eq!(is_marked, returns_status && !is_unmarked, "{declaration}");
        marked += usize::from(is_marked);
    }
    assert!(marked > 30, "{marked}");
}

fn the_version_macros_the_library_and_cargo_agree() {
    let toolchain = Toolchain::new().unwrap();
    let text = r#"
        #include <stdio.h>
        #include "fpga_associate.h"
        #if FPGA_ASSOC_VERSION_NUMBER < 1000L
        #error "not a version"
        #endif
        int main(void) {
            printf("%s %s %d.%d.%d %ld\n", fpga_assoc_version(), FPGA_ASSOC_VERSION,
                   FPGA_ASSOC_VERSION_MAJOR, FPGA_ASSOC_VERSION_MINOR, FPGA_ASSOC_VERSION_PATCH,
                   FPGA_ASSOC_VERSION_NUMBER);
            return 0;
        }"#;
    let program = toolchain.compile_text("version", text, &[]).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let printed = run(&mut Command::new(program)).unwrap();
    let parts = version.split('.').map(|part| part.parse::<u64>().unwrap());
    let number = parts.fold(0, |number, part| number * 1000 + part);
    let expected = format!("{version} {version} {version} {number}");
    assert_eq!(printed.trim(), expected);
}

fn every_constant_has_its_number_its_name_and_a_help_text() {
    let expected = [
        ("OK", 0),
        ("INVALID_ARGUMENT", 1),
        ("RESOLVE_FAILED", 2),
        ("CONNECT_FAILED", 3),
        ("PROXY_FAILED", 4),
        ("TLS_FAILED", 5),
        ("TIMEOUT", 6),
        ("CONNECTION_LOST", 7),
        ("BAD_RESPONSE", 8),
        ("CANCELLED", 9),
        ("CREDENTIALS_FAILED", 10),
        ("OUT_OF_MEMORY", 11),
        ("REJECTED", 20),
        ("UNAUTHORIZED", 21),
        ("FORBIDDEN", 22),
        ("NOT_FOUND", 23),
        ("CONFLICT", 24),
        ("THROTTLED", 25),
        ("SERVICE_FAILED", 26),
        ("UNEXPECTED_STATUS", 27),
        ("PENDING", 28),
        ("ALREADY_ASSOCIATED", 29),
        ("NOT_ASSOCIATED", 30),
        ("LIMIT_REACHED", 31),
        ("INCOMPLETE", 32),
        ("INTERNAL", 99),
    ];
    let others = [
        ("OBSERVED_NOTHING", 0),
        ("OBSERVED_ASSOCIATED", 1),
        ("OBSERVED_APART", 2),
        ("REASON_FIRST", 1),
        ("REASON_EXPIRING", 2),
        ("REASON_REFUSED", 3),
        ("RESULT_OPEN", 0),
        ("RESULT_AS_WANTED", 1),
        ("RESULT_TO_CHANGE", 2),
        ("RESULT_CHANGED", 3),
        ("RESULT_FAILED", 4),
        ("LOG_ERROR", 1),
        ("LOG_WARNING", 2),
        ("LOG_INFO", 3),
        ("LOG_DEBUG", 4),
    ];
    let in_header = GENERATED
        .lines()
        .filter(|line| line.trim_start().starts_with("FPGA_ASSOC_") && line.contains(" = "))
        .count();
    assert_eq!(in_header, expected.len() + others.len());
    for (name, number) in others {
        let line = format!("FPGA_ASSOC_{name} = {number},");
        assert!(GENERATED.contains(&line), "{line}");
    }

    let rows: String = expected
        .iter()
        .map(|(name, number)| {
            format!("check(FPGA_ASSOC_{name}, {number}, \"FPGA_ASSOC_{name}\");\n")
        })
        .collect();
    let text = format!(
        r#"
        #include <limits.h>
        #include <stdio.h>
        #include <string.h>
        #include "fpga_associate.h"
        static int failed;
        static void check(int32_t status, int number, const char *name) {{
            if (status != number || strcmp(fpga_assoc_status_name(status), name) != 0
                || strlen(fpga_assoc_status_help(status)) < 20) {{
                printf("%s is %d, %s\n", name, (int)status, fpga_assoc_status_name(status));
                failed = 1;
            }}
        }}
        int main(void) {{
            const int none[] = {{ INT_MIN, -1, 19, 40, 98, 100, INT_MAX }};
            size_t i;
            {rows}
            for (i = 0; i < sizeof none / sizeof *none; i++)
                check(none[i], none[i], "unknown status");
            return failed;
        }}"#
    );
    let toolchain = Toolchain::new().unwrap();
    let program = toolchain.compile_text("statuses", &text, &[]).unwrap();
    run(&mut Command::new(program)).unwrap();
}

/// The words that a C programmer looks for in the comment of every function.
fn every_function_tells_its_results_and_its_thread_safety() {
    let mut comment = String::new();
    let mut functions = 0;
    for line in GENERATED.lines() {
        let line = line.trim();
        if line.starts_with("/**") {
            comment.clear();
        }
        comment.push_str(line.trim_start_matches('*'));
        let is_function =
            !line.starts_with(['*', '/', 't']) && line.contains("fpga_assoc") && line.contains('(');
        if is_function {
            functions += 1;
            assert!(comment.contains("hread-safe"), "{line}");
            if line.starts_with("const char *") {
                for word in ["NUL", "never NULL", "valid", "belongs"] {
                    let constant = comment.contains("constant text") && word == "belongs";
                    let lives = comment.contains("lives as long") && word == "valid";
                    assert!(
                        comment.contains(word) || constant || lives,
                        "{line} does not tell: {word}"
                    );
                }
            }
            comment.clear();
        }
    }
    assert!(functions >= 14, "{functions} functions found");
    let associate = GENERATED.split("int32_t fpga_associate(").next().unwrap();
    assert!(associate.contains("Associating an FPGA Image with an ECS Image"));
}

//! The unit file of the documentation, against systemd itself.

use super::*;

#[test]
fn systemd_finds_nothing_wrong_with_the_unit_file() {
    let post = Post::new();
    let unit = fs::read_to_string(repository("docs/examples/portolan.service")).unwrap();
    let program = env!("CARGO_BIN_EXE_portolan");
    let unit = unit.replace("/usr/local/bin/portolan", program).replace("/sbin/ip", program);
    assert_eq!(unit.matches(program).count(), 2, "the program, and what brings the port up");
    post.write("portolan.service", unit);
    let mut command = Command::new("systemd-analyze");
    command.args(["verify", "--recursive-errors=no", "./portolan.service"]);
    let Ok(output) = command.current_dir(post.folder.path()).output() else {
        println!("skipped: needs systemd-analyze");
        return;
    };
    // It may have something to say of other units of this machine.
    let said = String::from_utf8(output.stderr).unwrap();
    let ours: Vec<_> = said.lines().filter(|line| line.contains("portolan")).collect();
    assert_eq!(ours, Vec::<&str>::new());
    assert!(output.status.success(), "{said}");
}

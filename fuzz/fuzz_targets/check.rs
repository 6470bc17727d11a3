//! Bytes of a capture, of any container, link type and packing, to a form of the report, by the
//! number of bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portolan::report::{flow_line, mismatches};
use portolan_fuzz::{outputs, run};

fuzz_target!(|bytes: &[u8]| {
    let Some(read) = run::read(bytes) else { return };
    let (packets, frame_bytes) = run::sums(&read.batches);
    let evaluated = run::fold(&read.batches, 4).finish().evaluate();
    run::counted(&evaluated, packets, frame_bytes);
    let (assessment, report) = run::judge(evaluated, &read);
    assert_eq!(mismatches(&report).len(), 0, "what went in is what came out");
    outputs::one_form(&report, bytes.len());
    let flows = assessment.flows.iter();
    let lines: Vec<_> =
        flows.filter_map(|flow| flow_line(flow, &read.inputs, run::terms())).collect();
    outputs::flow_lists(&lines);
});

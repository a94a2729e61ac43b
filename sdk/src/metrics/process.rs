//! What the process takes of the machine, read from `/proc` at each scrape. Linux only, as in Prometheus' own clients.

use procfs::process::{Limit, LimitValue, Process};
use procfs::{ProcResult, WithCurrentSystemInfo as _};

use super::families::ProcessFamilies;

/// Reads `/proc/self` and sets what is there. What can't be read keeps its last value.
pub(super) fn measure(families: &ProcessFamilies) {
    let _unreadable = read(families);
}

fn read(families: &ProcessFamilies) -> ProcResult<()> {
    let process = Process::myself()?;
    let stat = process.stat()?;
    let ticks = procfs::ticks_per_second() as f64;
    let seconds = (stat.utime + stat.stime) as f64 / ticks;
    let more = seconds - families.cpu_seconds.get();
    if more > 0.0 {
        families.cpu_seconds.inc_by(more);
    }
    families.start_time.set(procfs::boot_time_secs()? as f64 + stat.starttime as f64 / ticks);
    families.resident_memory.set(stat.rss_bytes().get() as f64);
    families.virtual_memory.set(stat.vsize as f64);
    families.open_fds.set(process.fd_count()? as f64);
    let limits = process.limits()?;
    families.max_fds.set(soft(limits.max_open_files));
    families.virtual_memory_max.set(soft(limits.max_address_space));
    Ok(())
}

/// No limit is the greatest number there is, as the kernel has it.
fn soft(limit: Limit) -> f64 {
    match limit.soft_limit {
        LimitValue::Value(limit) => limit as f64,
        LimitValue::Unlimited => u64::MAX as f64,
    }
}

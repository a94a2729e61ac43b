use super::*;

fn key(name: &str) -> Key {
    Key { namespace: None, name: name.into() }
}

fn at(seconds: u64) -> Moment {
    Moment::new(Duration::from_secs(seconds))
}

/// The names handed out at `now`, each finished at once.
fn drain(queue: &mut Queue, now: Moment) -> Vec<String> {
    let mut names = Vec::new();
    while let Some(taken) = queue.take(now) {
        queue.finish(&taken.key, Ended::Succeeded);
        names.push(taken.key.name.to_string());
    }
    names
}

/// A queue that looks into itself after each step, so that each test is also one of its structure.
fn check(queue: &Queue) {
    let mut listed = 0;
    for (key, entry) in &queue.entries {
        let Some(queued) = &entry.queued else {
            assert!(entry.failures > 0, "an entry without any use: {key}");
            continue;
        };
        let list = match (queued.place, queued.priority) {
            (Place::Waiting, _) => &queue.waiting,
            (Place::Ready, Priority::Live) => &queue.live,
            (Place::Ready, Priority::Background) => &queue.background,
            (Place::Held, _) => {
                assert!(queue.in_work.contains_key(key), "held but not worked on: {key}");
                continue;
            }
        };
        assert!(!queue.in_work.contains_key(key), "queued and worked on: {key}");
        assert_eq!(list.get(&queued.slot), Some(key));
        listed += 1;
    }
    assert_eq!(listed, queue.waiting.len() + queue.live.len() + queue.background.len());
}

#[test]
fn a_key_is_in_it_at_most_once() {
    let mut queue = Queue::default();
    assert!(queue.add(key("a"), Trigger::Created, Priority::Live, at(0)));
    assert!(!queue.add(key("a"), Trigger::Modified, Priority::Live, at(0)));
    assert!(!queue.add(key("a"), Trigger::Requeued, Priority::Background, at(9)));
    check(&queue);
    assert_eq!(drain(&mut queue, at(10)), ["a"]);
    assert!(queue.entries.is_empty());
}

#[test]
fn the_earliest_due_time_wins_whichever_came_first() {
    for dues in [[3, 7], [7, 3]] {
        let mut queue = Queue::default();
        for due in dues {
            queue.add(key("a"), Trigger::Modified, Priority::Live, at(due));
            check(&queue);
        }
        assert_eq!(queue.next_due(), Some(at(3)));
        assert!(queue.take(at(2)).is_none());
        assert!(queue.take(at(3)).is_some());
        assert_eq!(queue.next_due(), None);
    }
}

#[test]
fn nothing_is_handed_out_before_it_is_due() {
    let mut queue = Queue::default();
    queue.add(key("a"), Trigger::Requeued, Priority::Live, at(5));
    assert!(queue.take(at(4)).is_none());
    assert_eq!(queue.depth(at(4)), 0);
    assert_eq!(queue.next_due(), Some(at(5)));
    assert_eq!(queue.depth(at(5)), 1);
    let taken = queue.take(at(7)).unwrap();
    assert_eq!(taken.waited, Duration::from_secs(2));
}

#[test]
fn a_key_that_is_worked_on_is_not_handed_out_and_runs_once_more_after() {
    let mut queue = Queue::default();
    queue.add(key("a"), Trigger::Created, Priority::Live, at(0));
    queue.take(at(0)).unwrap();
    queue.add(key("a"), Trigger::Modified, Priority::Live, at(1));
    queue.add(key("a"), Trigger::Deleted, Priority::Live, at(2));
    check(&queue);
    assert!(queue.take(at(3)).is_none());
    assert_eq!(queue.next_due(), None, "nothing to wake up for");
    assert_eq!(queue.depth(at(3)), 0);

    queue.finish(&key("a"), Ended::Succeeded);
    check(&queue);
    assert_eq!(queue.take(at(3)).unwrap().attempt.trigger, Trigger::Modified);
    queue.finish(&key("a"), Ended::Succeeded);
    assert!(queue.take(at(3)).is_none());
    assert!(queue.entries.is_empty());
}

#[test]
fn keys_of_one_priority_go_by_due_time_and_then_first_in_first_out() {
    let mut queue = Queue::default();
    for (name, due) in [("late", 3), ("first", 1), ("second", 1), ("zero", 0), ("third", 1)] {
        queue.add(key(name), Trigger::Modified, Priority::Live, at(due));
    }
    assert_eq!(drain(&mut queue, at(2)), ["zero", "first", "second", "third"]);
    assert_eq!(drain(&mut queue, at(3)), ["late"]);
}

#[test]
fn of_what_is_due_live_changes_go_before_the_list_even_if_they_were_due_later() {
    let mut queue = Queue::default();
    queue.add(key("listed"), Trigger::Listed, Priority::Background, at(0));
    queue.add(key("changed"), Trigger::Modified, Priority::Live, at(4));
    queue.add(key("later"), Trigger::Requeued, Priority::Live, at(9));
    assert_eq!(drain(&mut queue, at(5)), ["changed", "listed"]);
}

#[test]
fn priority_never_goes_before_due_time() {
    let mut queue = Queue::default();
    queue.add(key("live"), Trigger::Requeued, Priority::Live, at(9));
    queue.add(key("listed"), Trigger::Listed, Priority::Background, at(0));
    assert_eq!(drain(&mut queue, at(5)), ["listed"]);
}

#[test]
fn a_listed_key_that_changes_becomes_live_and_keeps_its_place_in_time() {
    let mut queue = Queue::default();
    queue.add(key("listed"), Trigger::Listed, Priority::Background, at(0));
    assert_eq!(queue.depth(at(1)), 1);
    queue.add(key("other"), Trigger::Modified, Priority::Live, at(2));
    queue.add(key("listed"), Trigger::Modified, Priority::Live, at(3));
    check(&queue);
    assert_eq!(drain(&mut queue, at(3)), ["listed", "other"]);
}

#[test]
fn a_live_key_does_not_lose_its_priority_to_a_resync() {
    let mut queue = Queue::default();
    queue.add(key("a"), Trigger::Listed, Priority::Background, at(0));
    queue.add(key("b"), Trigger::Modified, Priority::Live, at(0));
    queue.add(key("b"), Trigger::Resynced, Priority::Background, at(0));
    assert_eq!(drain(&mut queue, at(0)), ["b", "a"]);
}

#[test]
fn the_background_gets_its_share_while_a_hot_key_never_rests() {
    let mut queue = Queue::default();
    for name in ["a", "b", "c"] {
        queue.add(key(name), Trigger::Listed, Priority::Background, at(0));
    }
    let mut names = Vec::new();
    for _ in 0..15 {
        queue.add(key("hot"), Trigger::Modified, Priority::Live, at(0));
        let taken = queue.take(at(0)).unwrap();
        queue.finish(&taken.key, Ended::Succeeded);
        names.push(taken.key.name.to_string());
    }
    let hot = ["hot"; 4];
    let expected: Vec<_> = ["a", "b", "c"].iter().flat_map(|name| hot.iter().chain([name])).collect();
    assert_eq!(names.iter().collect::<Vec<_>>(), expected);
}

#[test]
fn a_hot_key_does_not_hold_up_others_of_its_priority() {
    let mut queue = Queue::default();
    queue.add(key("hot"), Trigger::Modified, Priority::Live, at(0));
    queue.add(key("cold"), Trigger::Modified, Priority::Live, at(1));
    queue.take(at(1)).unwrap();
    queue.add(key("hot"), Trigger::Modified, Priority::Live, at(2));
    queue.finish(&key("hot"), Ended::Succeeded);
    assert_eq!(drain(&mut queue, at(2)), ["cold", "hot"]);
}

#[test]
fn the_first_cause_is_told() {
    let mut queue = Queue::default();
    queue.add(key("a"), Trigger::Created, Priority::Live, at(1));
    queue.add(key("a"), Trigger::Modified, Priority::Live, at(1));
    queue.add(key("a"), Trigger::Deleted, Priority::Live, at(2));
    assert_eq!(queue.take(at(2)).unwrap().attempt.trigger, Trigger::Created);
}

#[test]
fn a_change_that_comes_before_a_retry_is_due_is_the_cause_and_runs_at_once() {
    let mut queue = Queue::default();
    queue.add(key("a"), Trigger::Retried, Priority::Live, at(60));
    queue.add(key("a"), Trigger::Modified, Priority::Live, at(5));
    assert_eq!(queue.take(at(5)).unwrap().attempt.trigger, Trigger::Modified);
    queue.finish(&key("a"), Ended::Succeeded);
    assert_eq!(queue.next_due(), None, "the retry has become needless");
}

#[test]
fn attempts_count_failures_since_the_last_success() {
    let mut queue = Queue::default();
    let mut numbers = Vec::new();
    for ended in [Ended::Failed, Ended::Failed, Ended::Dropped, Ended::Succeeded, Ended::Failed] {
        queue.add(key("a"), Trigger::Modified, Priority::Live, at(0));
        numbers.push(queue.take(at(0)).unwrap().attempt.number);
        queue.finish(&key("a"), ended);
        check(&queue);
    }
    assert_eq!(numbers, [1, 2, 3, 3, 1]);
}

#[test]
fn finish_tells_the_failures_so_far() {
    let mut queue = Queue::default();
    for failures in 1..=1000 {
        queue.add(key("a"), Trigger::Retried, Priority::Live, at(0));
        queue.take(at(0)).unwrap();
        assert_eq!(queue.finish(&key("a"), Ended::Failed), Some(failures), "never dropped for failing often");
    }
}

#[test]
fn a_key_that_succeeded_leaves_nothing_behind() {
    let mut queue = Queue::default();
    queue.add(key("a"), Trigger::Created, Priority::Live, at(0));
    queue.take(at(0)).unwrap();
    queue.finish(&key("a"), Ended::Failed);
    assert_eq!(queue.entries.len(), 1);
    queue.add(key("a"), Trigger::Retried, Priority::Live, at(0));
    queue.take(at(0)).unwrap();
    queue.finish(&key("a"), Ended::Succeeded);
    assert!(queue.entries.is_empty() && queue.in_work.is_empty());
}

#[test]
fn clear_forgets_all_but_what_is_worked_on() {
    let mut queue = Queue::default();
    for name in ["a", "b"] {
        queue.add(key(name), Trigger::Created, Priority::Live, at(0));
    }
    queue.take(at(0)).unwrap();
    queue.clear();
    assert_eq!((queue.next_due(), queue.depth(at(0))), (None, 0));

    // The next term puts it in while the last one's work on it still goes on.
    queue.add(key("a"), Trigger::Listed, Priority::Background, at(1));
    assert!(queue.take(at(1)).is_none(), "never twice at once");
    assert_eq!(queue.finish(&key("a"), Ended::Failed), None, "no retry for the old term");
    check(&queue);
    assert_eq!(queue.take(at(1)).unwrap().attempt.number, 1, "failures of the old term do not count");
}

#[test]
fn finishing_what_is_not_worked_on_does_nothing() {
    let mut queue = Queue::default();
    assert_eq!(queue.finish(&key("a"), Ended::Failed), None);
    queue.add(key("a"), Trigger::Created, Priority::Live, at(0));
    assert_eq!(queue.finish(&key("a"), Ended::Failed), None);
    assert_eq!(queue.take(at(0)).unwrap().attempt.number, 1);
}

#[test]
fn the_longest_running_key_is_told() {
    let mut queue = Queue::default();
    assert!(queue.longest_running(at(0)).is_none());
    for (name, now) in [("a", 1), ("b", 2)] {
        queue.add(key(name), Trigger::Created, Priority::Live, at(0));
        queue.take(at(now)).unwrap();
    }
    assert_eq!(queue.longest_running(at(9)), Some((&key("a"), Duration::from_secs(8))));
    queue.finish(&key("a"), Ended::Succeeded);
    assert_eq!(queue.longest_running(at(9)), Some((&key("b"), Duration::from_secs(7))));
}

/// Random steps against a plain list that is searched from end to end.
#[test]
fn it_hands_out_what_a_simple_list_would() {
    for seed in 0..20 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut queue = Queue::default();
        let mut model = model::Model::default();
        let mut now = 0;
        for _ in 0..500 {
            match random.u8(0..10) {
                0..5 => {
                    let name = random.u8(0..12).to_string();
                    let priority = random.choice([Priority::Live, Priority::Background]).unwrap();
                    let due = now + random.u64(0..4);
                    let new = queue.add(key(&name), Trigger::Modified, priority, at(due));
                    assert_eq!(new, model.add(&name, priority, due));
                }
                5..8 => assert_eq!(queue.take(at(now)).map(|taken| taken.key.name.to_string()), model.take(now)),
                8 => {
                    if let Some(name) = model.finish_any(&mut random) {
                        queue.finish(&key(&name), Ended::Succeeded);
                    }
                }
                _ => now += 1,
            }
            check(&queue);
            assert_eq!(queue.next_due(), model.next_due().map(at));
        }
    }
}

mod model {
    use super::{LIVE_IN_A_ROW, Priority};

    #[derive(Default)]
    pub(super) struct Model {
        queued: Vec<(String, Priority, u64, u64)>,
        in_work: Vec<String>,
        added: u64,
        live_in_a_row: u32,
    }

    impl Model {
        pub(super) fn add(&mut self, name: &str, priority: Priority, due: u64) -> bool {
            self.added += 1;
            if let Some(queued) = self.queued.iter_mut().find(|queued| queued.0 == name) {
                queued.1 = queued.1.max(priority);
                if due < queued.2 {
                    (queued.2, queued.3) = (due, self.added);
                }
                return false;
            }
            self.queued.push((name.to_owned(), priority, due, self.added));
            true
        }

        pub(super) fn take(&mut self, now: u64) -> Option<String> {
            let free = |name: &String| !self.in_work.contains(name);
            let first = |wanted| {
                let due = self.queued.iter().filter(|q| q.1 == wanted && q.2 <= now && free(&q.0));
                due.min_by_key(|q| (q.2, q.3)).map(|q| q.0.clone())
            };
            let name = match (first(Priority::Live), first(Priority::Background)) {
                (Some(_), Some(background)) if self.live_in_a_row >= LIVE_IN_A_ROW => {
                    self.live_in_a_row = 0;
                    background
                }
                (Some(live), Some(_)) => {
                    self.live_in_a_row += 1;
                    live
                }
                (Some(live), None) => live,
                (None, background) => {
                    let background = background?;
                    self.live_in_a_row = 0;
                    background
                }
            };
            self.queued.retain(|queued| queued.0 != name);
            self.in_work.push(name.clone());
            Some(name)
        }

        pub(super) fn finish_any(&mut self, random: &mut fastrand::Rng) -> Option<String> {
            (!self.in_work.is_empty()).then(|| self.in_work.swap_remove(random.usize(0..self.in_work.len())))
        }

        pub(super) fn next_due(&self) -> Option<u64> {
            self.queued.iter().filter(|queued| !self.in_work.contains(&queued.0)).map(|queued| queued.2).min()
        }
    }
}

/// An operation that looked at every key would need minutes for this.
#[test]
fn an_operation_does_not_look_at_every_key() {
    const KEYS: u64 = 20_000;
    let started = std::time::Instant::now();
    let mut queue = Queue::default();
    for number in 0..KEYS {
        queue.add(key(&number.to_string()), Trigger::Listed, Priority::Background, at(number % 100));
    }
    for number in 0..KEYS {
        queue.add(key(&number.to_string()), Trigger::Modified, Priority::Live, at(number % 50));
    }
    assert_eq!(drain(&mut queue, at(100)).len() as u64, KEYS);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

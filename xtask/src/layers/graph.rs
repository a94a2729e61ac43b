//! Who knows whom, as a graph: its layers, and its circle if it has one.

use std::collections::{BTreeMap, BTreeSet};

/// Who knows whom.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    knows: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    pub(crate) fn add_room(&mut self, room: &str) {
        self.knows.entry(room.to_owned()).or_default();
    }

    pub(crate) fn add(&mut self, from: &str, to: &str) {
        self.add_room(to);
        self.knows.entry(from.to_owned()).or_default().insert(to.to_owned());
    }

    /// Rooms that know each other in turn; the first is named again at the end.
    pub(crate) fn circle(&self) -> Option<Vec<String>> {
        let mut done = BTreeSet::new();
        self.knows.keys().find_map(|room| self.circle_from(room, &mut Vec::new(), &mut done))
    }

    fn circle_from<'a>(
        &'a self,
        room: &'a str,
        way: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
    ) -> Option<Vec<String>> {
        if let Some(start) = way.iter().position(|visited| *visited == room) {
            let circle = way[start..].iter().chain([&room]);
            return Some(circle.map(|room| (*room).to_owned()).collect());
        }
        if done.contains(room) {
            return None;
        }
        way.push(room);
        let circle = self.knows.get(room)?.iter().find_map(|known| self.circle_from(known, way, done));
        way.pop();
        done.insert(room);
        circle
    }

    /// One line a room: each stands above all it knows. Only for a graph without a circle.
    pub(crate) fn draw(&self) -> String {
        let mut heights = BTreeMap::new();
        for room in self.knows.keys() {
            self.height(room, &mut heights);
        }
        let mut rooms: Vec<(&str, usize)> = heights.into_iter().collect();
        rooms.sort_by_key(|(room, height)| (std::cmp::Reverse(*height), *room));
        let width = rooms.iter().map(|(room, _)| room.len()).max().unwrap_or(0);
        let lines = rooms.into_iter().map(|(room, height)| {
            let known: Vec<&str> = self.knows[room].iter().map(String::as_str).collect();
            match known.as_slice() {
                [] => format!("{height:>2}  {room}\n"),
                known => format!("{height:>2}  {room:width$}  → {}\n", known.join(", ")),
            }
        });
        lines.collect()
    }

    /// One more than the highest that it knows.
    fn height<'a>(&'a self, room: &'a str, heights: &mut BTreeMap<&'a str, usize>) -> usize {
        if let Some(height) = heights.get(room) {
            return *height;
        }
        let height = self.knows[room].iter().map(|known| self.height(known, heights) + 1).max().unwrap_or(0);
        heights.insert(room, height);
        height
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::default();
        for (from, to) in edges {
            graph.add(from, to);
        }
        graph
    }

    #[test]
    fn a_circle_is_found_wherever_it_begins() {
        let graph = graph(&[("a", "b"), ("b", "c"), ("c", "d"), ("d", "b"), ("a", "e")]);
        assert_eq!(graph.circle().unwrap(), ["b", "c", "d", "b"]);
    }

    #[test]
    fn two_ways_to_the_same_room_are_no_circle() {
        assert_eq!(graph(&[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]).circle(), None);
    }

    #[test]
    fn each_room_is_drawn_above_all_it_knows() {
        let drawn = graph(&[("operator", "host"), ("operator", "worker"), ("worker", "queue")]).draw();
        assert_eq!(drawn, " 2  operator  → host, worker\n 1  worker    → queue\n 0  host\n 0  queue\n");
    }
}

//! t
use super::*;
use engine::*;
#[test]
fn explore() {
    for seed in 1..=3u32 {
        let mut p = Player::new(Box::new(Run::<Breaking>::new(seed)) as Box<dyn Show>);
        let show = |p: &mut Player, tag: &str, s: u64| {
            for _ in 0..s {
                let at = p.main().position().at;
                p.seek(at + Time::s(1));
                let t = p.main().tape();
                let f: Vec<f32> = (0..7).map(|i| *t.line(i).last().unwrap_or(&0.)).collect();
                p.main().audit().unwrap();
                println!(
                    "{seed} {tag} {at:?} fresh {} stand {} err {} calls {} req {} m1 {} m2 {}",
                    f[0], f[1], f[2], f[3], f[4], f[5], f[6]
                );
            }
        };
        show(&mut p, "calm", 3);
        p.set_knob("breakers", 0.).unwrap();
        p.set_knob("fail", 100.).unwrap();
        show(&mut p, "storm", 8);
        p.set_knob("fail", 0.).unwrap();
        show(&mut p, "healed", 12);
        p.set_knob("breakers", 2.).unwrap();
        show(&mut p, "breaker", 12);
        p.act_by_id("overload", None);
        show(&mut p, "overload+breaker", 14);
        p.set_knob("breakers", 0.).unwrap();
        p.act_by_id("overload", None);
        show(&mut p, "overload, none", 14);
        p.set_knob("breakers", 2.).unwrap();
        show(&mut p, "breaker", 12);
        p.set_knob("fallback", 0.).unwrap();
        p.act_by_id("overload", None);
        p.act_by_id("refresh", None);
        show(&mut p, "fallback err", 16);
    }
}

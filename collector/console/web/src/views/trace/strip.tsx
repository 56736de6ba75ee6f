// A day as a strip: quarter hours across, a lane for each channel; how dark says how much.
import type { Record_ } from "../../core/api";
import { CHANNELS, channelOf } from "../../core/channels";
import { useDesk } from "../../core/desk";

const SLOTS = 96;

export function slots(date: string, records: Record_[]): Map<string, number[]> {
  const begin = new Date(`${date}T00:00:00`).getTime();
  const out = new Map<string, number[]>();
  for (const r of records) {
    const at = Math.floor((new Date(r.facts.time).getTime() - begin) / 900_000);
    if (at < 0 || at >= SLOTS + 4) continue;
    const channel = channelOf(r.facts.kind);
    const lane = out.get(channel) ?? Array.from({ length: SLOTS }, () => 0);
    const slot = Math.min(at, SLOTS - 1);
    lane[slot] = (lane[slot] ?? 0) + 1;
    out.set(channel, lane);
  }
  return out;
}

export function DayStrip({ date, records }: { date: string; records: Record_[] }) {
  const { words } = useDesk();
  const lanes = slots(date, records);
  return (
    <div class="strip" role="img" aria-label={words.trace.strip}>
      {CHANNELS.filter((c) => lanes.has(c)).map((c) => {
        const lane = lanes.get(c) ?? [];
        const most = Math.max(...lane, 1);
        return (
          <div key={c} class={`lane channel-${c}`} aria-hidden="true">
            <p class="lane-name">
              <span class="kind-mark" />
              {words.channels[c]}
            </p>
            <svg class="strip-bars" viewBox={`0 0 ${SLOTS} 10`} preserveAspectRatio="none">
              {lane.map((n, i) => (n ? <rect key={i} x={i + 0.050} width={0.900} y={0} height={10} opacity={0.300 + 0.700 * (Math.log1p(n) / Math.log1p(most))} /> : null))}
            </svg>
          </div>
        );
      })}
      <div class="lane lane-axis" aria-hidden="true">
        <span />
        <div class="axis">
          {[0, 3, 6, 9, 12, 15, 18, 21].map((h) => (
            <span key={h} style={{ insetInlineStart: `${(h / 24) * 100}%` }}>
              {String(h).padStart(2, "0")}:00
            </span>
          ))}
        </div>
      </div>
    </div>
  );
}

// Slots of time as bars: of an object's uptime, and of a domain's last hours. A bar's height shows the same as its colour.
import { describeSlots } from './uptime/uptime-words.ts';
import { useZone } from './zone.ts';

interface TimeSlot {
  readonly startedAt: string;
  readonly state: 'UP' | 'DEGRADED' | 'DOWN' | 'UNKNOWN';
}

interface BeatsProps<Slot extends TimeSlot> {
  /** The last one is under way. */
  readonly slots: readonly Slot[];
  /** For screen readers: precedes the description of the slots. */
  readonly label?: string;
  readonly describe: (slot: Slot) => string;
  /** Whether each slot is a day, shown without a time. Default: an hour. */
  readonly isOfDays?: boolean;
}

const bars = { UP: 'good', DEGRADED: 'warn', DOWN: 'bad', UNKNOWN: 'unknown' } as const;

export function Beats<Slot extends TimeSlot>({ slots, label, describe, isOfDays = false }: BeatsProps<Slot>) {
  const zone = useZone();
  const time = new Intl.DateTimeFormat('en-GB', {
    ...{ timeZone: zone, day: '2-digit', month: 'short' },
    ...(isOfDays ? {} : { hour: '2-digit', minute: '2-digit' }),
  });
  const words = describeSlots(slots);
  return (
    <div className="beats" role="img" aria-label={label === undefined ? words : `${label}: ${words}`}>
      {slots.map((slot) => (
        <span
          key={slot.startedAt}
          className="beat"
          data-beat={bars[slot.state]}
          title={`${time.format(Date.parse(slot.startedAt))}: ${describe(slot)}`}
        />
      ))}
    </div>
  );
}

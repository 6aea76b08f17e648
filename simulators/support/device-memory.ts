// State of a simulated device that survives a restart: its configuration, as one value of maps, sets, arrays and plain objects.

export interface DeviceMemory {
  /** The last written value. Undefined at first. */
  read(): unknown;
  /** Stored when it returns: a device writes before it answers. */
  write(state: unknown): void;
}

/** A device that runs for weeks keeps this many entries of each list that it makes for tests, and up to twice as many. */
export const keptEntries = 1_000;

/** Adds to a list for tests; the oldest entries of a long one are dropped, if the device has a memory. */
export function note<Entry>(list: Entry[], entry: Entry, memory: DeviceMemory | undefined): void {
  list.push(entry);
  if (memory !== undefined && list.length > 2 * keptEntries) list.splice(0, list.length - keptEntries);
}

// The id of an object locates it without its container's name: the number of its ring, its container's id, and its own name.

export interface ObjectPlace {
  readonly ring: number;
  /** 32 hexadecimal digits. */
  readonly containerId: string;
  readonly name: string;
}

/** Length for the longest name and its prefix. */
export const mostObjectId = 1_100;

/** @example objectIdOf({ ring: 1, containerId: '0f…', name: 'a/cat.jpg' }) // 1:0f…/a/cat.jpg, which no container can be named */
export function objectIdOf({ ring, containerId, name }: ObjectPlace): string {
  return `${ring}:${containerId}/${name}`;
}

/** Undefined if the text is not an object id. */
export function readObjectId(text: string): ObjectPlace | undefined {
  const [, ring, containerId, name] = /^(\d{1,5}):([0-9a-f]{32})\/(.+)$/s.exec(text) ?? [];
  if (ring === undefined || containerId === undefined || name === undefined) return undefined;
  return { ring: Number(ring), containerId, name };
}

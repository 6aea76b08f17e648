// Icons, one shape per meaning, so that colour is never the only sign. A page has its own: pages/relay/marks.tsx.

type Tone = 'good' | 'bad' | 'odd' | 'busy' | 'calm' | 'warn';

export interface Mark {
  readonly tone: Tone;
  /** Drawn in 16 by 16. */
  readonly path: string;
}

/** Shapes that pages share. */
export const shapes = {
  check: 'M3.5 8.5 6.5 11.5 12.5 4.5',
  cross: 'M4.5 4.5 11.5 11.5M11.5 4.5 4.5 11.5',
  question: 'M5.6 6.2a2.4 2.4 0 1 1 3.4 2.2c-.7.3-1 .8-1 1.6M8 12.2v.3',
  clock: 'M8 3.2V8l3 2M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0',
  pause: 'M6 4v8M10 4v8',
  half: 'M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0M8 2v12',
  drain: 'M8 3v7M4.5 7 8 10.5 11.5 7M3 13h10',
  dash: 'M3.5 8h9',
} as const;

export function Icon({ path }: { readonly path: string }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

export function MarkBadge({ mark, word }: { readonly mark: Mark; readonly word: string }) {
  return (
    <span className={`badge tone-${mark.tone}`}>
      <Icon path={mark.path} />
      {word.toLowerCase()}
    </span>
  );
}

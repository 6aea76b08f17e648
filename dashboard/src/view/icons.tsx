// Icons, one shape per meaning, so that colour is never the only sign. A page has its own: pages/relay/marks.tsx.

export type Tone = 'good' | 'bad' | 'odd' | 'busy' | 'calm' | 'warn';

export interface Mark {
  readonly tone: Tone;
  /** Drawn in 16 by 16. */
  readonly path: string;
}

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

// The path of a request as a picture: boxes from left to right and lines between them. On a narrow screen its steps stand below each other.
// Parts that are down have a cross, broken lines and a word. A table below has the same content.
import { type CSSProperties, type ReactNode, useMemo } from 'react';
import { layoutOf, type Path, type Stop } from './path-layout.ts';

interface PathPictureProps {
  readonly label: string;
  readonly path: Path;
  readonly badge: (status: string) => ReactNode;
  readonly onOpen: (opens: NonNullable<Stop['opens']>) => void;
}

export function PathPicture({ label, path, badge, onOpen }: PathPictureProps) {
  const { width, height, places, lines } = useMemo(() => layoutOf(path), [path]);
  const content = (stop: Stop) => (
    <>
      <span className="name" title={stop.title}>
        {stop.title}
      </span>
      <span className="line">
        {stop.status !== null && badge(stop.status)}
        <span className="dim" title={stop.detail ?? undefined}>
          {stop.detail}
        </span>
      </span>
      <span className="figures">{stop.figures ?? ''}</span>
    </>
  );
  return (
    <div className="path">
      <div className="path-room" style={{ '--width': `${width}px`, '--height': `${height}px` } as CSSProperties}>
        <svg className="path-lines" width={width} height={height} aria-hidden="true">
          {lines.map(({ key, d, kind, middle: { x, y } }) => (
            <g key={key} data-kind={kind}>
              <path d={d} />
              {kind === 'down' && <path className="cross" d={`M${x - 4} ${y - 4}l8 8m0-8l-8 8`} />}
            </g>
          ))}
        </svg>
        <ol className="path-steps" aria-label={label}>
          {path.steps.map((step, column) => (
            <li key={step.title}>
              <h3 style={{ '--x': `${places.get(step.stops[0]?.key ?? '')?.x ?? column * 240}px` } as CSSProperties}>
                {step.title}
              </h3>
              <ul>
                {step.stops.map((stop) => (
                  <li
                    key={stop.key}
                    className="stop"
                    data-stop={stop.key}
                    data-down={stop.isDown}
                    data-old={stop.isOld}
                    style={placeOf(places.get(stop.key))}
                  >
                    {stop.opens === null ? (
                      <div className="box">{content(stop)}</div>
                    ) : (
                      <button type="button" className="box" onClick={() => stop.opens !== null && onOpen(stop.opens)}>
                        {content(stop)}
                      </button>
                    )}
                  </li>
                ))}
              </ul>
            </li>
          ))}
        </ol>
      </div>
      <details className="path-table">
        <summary>As a table</summary>
        <PathTable path={path} />
      </details>
    </div>
  );
}

function placeOf(place: { readonly x: number; readonly y: number } | undefined): CSSProperties {
  return { '--x': `${place?.x ?? 0}px`, '--y': `${place?.y ?? 0}px` } as CSSProperties;
}

function PathTable({ path: { steps, ways } }: { readonly path: Path }) {
  const titles = new Map(steps.flatMap(({ stops }) => stops.map(({ key, title }) => [key, title])));
  const next = Map.groupBy(ways, ({ from }) => from);
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Step</th>
          <th scope="col">What</th>
          <th scope="col">Status</th>
          <th scope="col">Figures</th>
          <th scope="col">Leads to</th>
        </tr>
      </thead>
      <tbody>
        {steps.flatMap(({ title: step, stops }) =>
          stops.map(({ key, title, status, detail, isDown, isOld, figures }) => (
            <tr key={key}>
              <td>{step}</td>
              <th scope="row">{title}</th>
              <td>
                {[isDown ? 'down' : null, status?.toLowerCase(), isOld ? 'absent' : null, detail]
                  .filter(Boolean)
                  .join(', ')}
              </td>
              <td>{figures ?? 'not known'}</td>
              <td>{(next.get(key) ?? []).map(({ to }) => titles.get(to) ?? '').join(', ')}</td>
            </tr>
          )),
        )}
      </tbody>
    </table>
  );
}

// The objects of the CMP for which something was called last.
import { useCallback } from 'react';
import { CmpRecentDocument, type CmpRecentQuery } from '../../../../generated/dashboard/graphql.ts';
import { formatCmpObject, linkToCmpObject } from '../../cmp-object.ts';
import { useDependencies } from '../../context.ts';
import { containsWords } from '../../filters/filters.ts';
import { Link } from '../../view/link.tsx';
import { Panel } from '../../view/panel.tsx';
import { Failures } from '../../view/refusal.tsx';
import { ScrollRegion } from '../../view/scroll-region.tsx';
import { Skeleton } from '../../view/skeleton.tsx';
import { Time } from '../../view/time.tsx';
import { useReading } from '../../view/use-reading.ts';

type Call = CmpRecentQuery['relayOperations']['nodes'][number];

const mostObjects = 20;
const everyMs = 15_000;

export function RecentPanel({ text }: { readonly text: string }) {
  const { requester } = useDependencies();
  const read = useCallback(
    async () => (await requester.request(CmpRecentDocument, {})).relayOperations.nodes,
    [requester],
  );
  const { value, failure } = useReading(read, undefined, everyMs);
  const objects = newestOf(value ?? []).filter(([object]) => containsWords(text, [object]));
  return (
    <Panel name="recent" title="Objects of the newest calls" summary={value && String(objects.length)}>
      <ScrollRegion list="recent" label="Objects of the newest calls">
        <Failures failures={failure === null ? [] : [failure]} />
        {value === undefined && failure === null && <Skeleton />}
        {value !== undefined && objects.length === 0 && (
          <p className="hint">No object{text === '' ? ' yet' : ' matches'}.</p>
        )}
        <ul className="calls">
          {objects.map(([object, { cmpObject, name, createdAt }]) => (
            <li key={object}>
              <span className="line">
                <Time at={createdAt} />
                {cmpObject !== null && (
                  <Link className="name" href={linkToCmpObject(cmpObject)}>
                    {object}
                  </Link>
                )}
                <span className="dim mono">{name}</span>
              </span>
            </li>
          ))}
        </ul>
      </ScrollRegion>
    </Panel>
  );
}

/** Each object once, with its newest call. */
function newestOf(calls: readonly Call[]): readonly (readonly [object: string, call: Call])[] {
  const found = new Map<string, Call>();
  for (const call of calls) {
    const object = call.cmpObject === null ? undefined : formatCmpObject(call.cmpObject);
    if (object !== undefined && !found.has(object)) found.set(object, call);
  }
  return [...found].slice(0, mostObjects);
}

// A strip over every page of a process in quiet mode.
import { useCallback } from 'react';
import { SystemHealthDocument } from '../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../context.ts';
import { useReading } from '../view/use-reading.ts';

/** A process that begins or ends quiet mode is another one, whose pages are loaded anew after a while. */
const everyMs = 300_000;

export function QuietStrip() {
  const { requester } = useDependencies();
  const read = useCallback(() => requester.request(SystemHealthDocument, {}), [requester]);
  const { value } = useReading(read, undefined, everyMs);
  if (value?.health?.some(({ name, ready }) => name === 'quiet' && !ready) !== true) return null;
  return (
    <p className="strip strip-quiet" role="status">
      <span>
        <strong>Quiet mode.</strong> This process only reads the database: it refuses changes, reaches no device, and
        sends no alerts. States are those of the database, which may be a copy.
      </span>
    </p>
  );
}

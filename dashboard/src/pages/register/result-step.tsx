// The last step: whether the log-in succeeded, in the device's words if not, and other credentials to try.

import { useCallback, useState } from 'react';
import {
  RegisterCredentialsDocument,
  RegisterStateDocument,
  type RegisterStateQuery,
} from '../../../../generated/dashboard/graphql.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import { callLink } from '../../forms/links.ts';
import { Reason } from '../../view/device-fault.tsx';
import { Link } from '../../view/link.tsx';
import { Failures } from '../../view/refusal.tsx';
import { useMutation } from '../../view/use-mutation.ts';
import { useReading } from '../../view/use-reading.ts';
import { Credentials, credentialsIn } from './credentials.tsx';
import type { Driver } from './place.ts';

const everyMs = 2_000;

interface ResultStepProps {
  readonly id: string;
  readonly driver: Driver;
  readonly onAnother: () => void;
}

export function ResultStep({ id, driver, onAnother }: ResultStepProps) {
  const { requester } = useDependencies();
  const { feed } = useLiveState();
  /** The check before the credentials were replaced says nothing of the new ones. */
  const [oldCheck, setOldCheck] = useState<string | null>(null);
  const read = useCallback(
    async () => (await requester.request(RegisterStateDocument, { id })).backend,
    [requester, id],
  );
  const { value: backend, failure } = useReading(read, feed[0]?.id, everyMs);
  const isTried = backend != null && backend.health.checkedAt !== null && backend.health.checkedAt !== oldCheck;
  return (
    <li aria-label="Result">
      <h3>Test</h3>
      {failure !== null && <Failures failures={[failure]} />}
      {backend === null && <p className="warning">It was deleted.</p>}
      {!isTried && backend !== null && <p role="status">Registered. Trying to log in…</p>}
      {isTried && (
        <Outcome backend={backend} driver={driver} onReplaced={() => setOldCheck(backend.health.checkedAt)} />
      )}
      <div className="actions">
        {backend?.operatingStatus === 'ONLINE' && (
          <Link className="form-link button primary" href={callLink('relayCall', id)}>
            First call
          </Link>
        )}
        <Link href={`/backend?id=${encodeURIComponent(id)}`}>Open the backend</Link>
        <button type="button" onClick={onAnother}>
          Register another
        </button>
      </div>
    </li>
  );
}

interface OutcomeProps {
  readonly backend: NonNullable<RegisterStateQuery['backend']>;
  readonly driver: Driver;
  readonly onReplaced: () => void;
}

function Outcome({ backend, driver, onReplaced }: OutcomeProps) {
  const control = useMutation(RegisterCredentialsDocument);
  const { id, name, operatingStatus, health, circuit } = backend;
  if (operatingStatus === 'ONLINE')
    return (
      <p role="status">
        <b data-status="ONLINE">{name} is online.</b>
        {health.softwareVersion !== null && ` It reports ${health.softwareVersion}.`}
      </p>
    );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const credentials = credentialsIn(new FormData(event.currentTarget), driver);
        void control.send({ id, credentials }).then((payload) => payload !== undefined && onReplaced());
      }}
    >
      <div className="failures" role="alert">
        <p>
          <strong>{name} is not online.</strong>{' '}
          <Reason text={circuit.reason ?? health.message ?? 'No reason was given.'} />
        </p>
      </div>
      <p>
        It stays registered and is checked again automatically, unless it refused the account. If the account is wrong,
        enter another:
      </p>
      <fieldset disabled={control.isBusy}>
        <Credentials driver={driver} />
      </fieldset>
      <Failures failures={control.failures} />
      <div className="actions">
        <button type="submit" disabled={control.isBusy} aria-busy={control.isBusy}>
          Try this account
        </button>
      </div>
    </form>
  );
}

// The page that registers a backend step by step: its address, the fingerprint that it shows, the comparison by a person, and only
// then the log-in with credentials.

import { useCallback, useState } from 'react';
import { RegisterDriversDocument } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import { plainFormat } from '../../filters/filters.ts';
import { useFilters } from '../../filters/use-filters.ts';
import { PageFrame } from '../../frame/page-frame.tsx';
import type { Page } from '../../page.ts';
import { Failures } from '../../view/refusal.tsx';
import { Skeleton } from '../../view/skeleton.tsx';
import { usePageTitle } from '../../view/use-page-title.ts';
import { useReading } from '../../view/use-reading.ts';
import { AddressStep } from './address-step.tsx';
import { FingerprintStep } from './fingerprint-step.tsx';
import { subjects } from './kinds.ts';
import { LoginStep } from './login-step.tsx';
import type { Driver, Place } from './place.ts';
import { ResultStep } from './result-step.tsx';
import type { Proof } from './use-proof.ts';
import './register.css';

export const page: Page = {
  ...subjects,
  read: async () => [],
  keys: { firstList: 'steps', groups: [{ does: 'Address', focus: { 1: '[name="host"]' } }] },
  Content: RegisterPage,
};

const filterFormat = plainFormat([]);
const everyMs = 600_000;
const noNews: readonly string[] = [];

function RegisterPage() {
  const control = useFilters(filterFormat);
  const { requester } = useDependencies();
  const read = useCallback(
    async () => (await requester.request(RegisterDriversDocument, {})).relayDrivers,
    [requester],
  );
  const { value: drivers, failure } = useReading(read, undefined, everyMs);
  usePageTitle(noNews);
  return (
    <PageFrame control={control} className="register" waitingFor="drivers">
      <section className="steps" aria-label="Register a backend">
        <h2>Register a backend</h2>
        {failure !== null && <Failures failures={[failure]} />}
        {drivers === undefined && failure === null && <Skeleton />}
        {drivers !== undefined && <Steps drivers={drivers} />}
      </section>
    </PageFrame>
  );
}

interface Shown {
  readonly place: Place;
  readonly proof: Proof;
}

function Steps({ drivers }: { readonly drivers: readonly Driver[] }) {
  const [shown, setShown] = useState<Shown | null>(null);
  const [accepted, setAccepted] = useState<Shown | null>(null);
  const [registered, setRegistered] = useState<{ readonly of: Shown; readonly id: string } | null>(null);
  const driver = drivers.find(({ name }) => name === shown?.place.driver);
  const begin = (): void => {
    setShown(null);
    setAccepted(null);
  };
  // An answer that comes after another address was chosen is not about the device that is shown now.
  const backendId = registered !== null && registered.of === accepted ? registered.id : null;
  return (
    <ol>
      <AddressStep
        drivers={drivers}
        isFixed={shown !== null}
        onShown={(place, proof) => setShown({ place, proof })}
        onChange={begin}
      />
      {shown !== null && (
        <FingerprintStep proof={shown.proof} isAccepted={accepted === shown} onAccept={() => setAccepted(shown)} />
      )}
      {accepted !== null && driver !== undefined && backendId === null && (
        <LoginStep
          driver={driver}
          place={accepted.place}
          proof={accepted.proof}
          onRegistered={(id) => setRegistered({ of: accepted, id })}
        />
      )}
      {backendId !== null && driver !== undefined && <ResultStep id={backendId} driver={driver} onAnother={begin} />}
    </ol>
  );
}

// The third step: the name and the account. The backend is registered with exactly the accepted fingerprint, so the credentials
// go to no other device.
import { type FormEvent, useState } from 'react';
import { RegisterBackendDocument } from '../../../../generated/dashboard/graphql.ts';
import { Failures } from '../../view/refusal.tsx';
import { useMutation } from '../../view/use-mutation.ts';
import { Credentials, credentialsIn } from './credentials.tsx';
import { type Driver, type Place, schemaOf, transportsOf } from './place.ts';
import type { Proof } from './use-proof.ts';

interface LoginStepProps {
  readonly driver: Driver;
  readonly place: Place;
  readonly proof: Proof;
  readonly onRegistered: (id: string) => void;
}

export function LoginStep({ driver, place, proof, onRegistered }: LoginStepProps) {
  const control = useMutation(RegisterBackendDocument);
  const [optionsFault, setOptionsFault] = useState<string | null>(null);
  const { required = [] } = schemaOf(driver);
  const submit = async (form: FormData): Promise<void> => {
    const options = optionsIn(String(form.get('options') ?? ''));
    setOptionsFault(options === undefined ? 'The options are not a JSON object.' : null);
    if (options === undefined) return;
    const { projectId, host, port, transport, cryptoProfile } = place;
    const { kind, sha256 } = proof.presented;
    const isUsual = transport == null || transport === transportsOf(driver)[0];
    const payload = await control.send({
      ...{ projectId, name: String(form.get('name')), driver: driver.name, host, port, cryptoProfile },
      ...(kind === 'HOST_KEY' ? { hostKeySha256: sha256 } : { certificateSha256: sha256 }),
      site: String(form.get('site') ?? '') || null,
      options: isUsual ? options : { ...options, transport: transport.toLowerCase() },
      credentials: credentialsIn(form, driver),
    });
    if (payload?.backend != null) onRegistered(payload.backend.id);
  };
  return (
    <li aria-label="Log-in">
      <form
        onSubmit={(event: FormEvent<HTMLFormElement>) => {
          event.preventDefault();
          void submit(new FormData(event.currentTarget));
        }}
      >
        <h3>Name and account</h3>
        <fieldset disabled={control.isBusy}>
          <label className="field">
            Name
            <input name="name" required maxLength={63} pattern="[A-Za-z0-9._\-]+" autoComplete="off" />
          </label>
          <label className="field">
            Site
            <input name="site" maxLength={63} autoComplete="off" />
          </label>
          <Credentials driver={driver} />
          <label className="field">
            Options of the driver, as JSON
            <textarea
              name="options"
              rows={2}
              spellCheck={false}
              required={required.length > 0}
              placeholder={required.length === 0 ? '{}' : `{ ${required.map((name) => `"${name}": …`).join(', ')} }`}
            />
          </label>
        </fieldset>
        {optionsFault !== null && (
          <p className="warning" role="alert">
            {optionsFault}
          </p>
        )}
        <Failures failures={control.failures} />
        <div className="actions">
          <button type="submit" className="primary" disabled={control.isBusy} aria-busy={control.isBusy}>
            {control.isBusy ? 'Registering…' : 'Register and log in'}
          </button>
        </div>
      </form>
    </li>
  );
}

/** Undefined if it is no JSON object. */
function optionsIn(text: string): Readonly<Record<string, unknown>> | undefined {
  if (text.trim() === '') return {};
  try {
    const options: unknown = JSON.parse(text);
    return typeof options === 'object' && options !== null && !Array.isArray(options)
      ? (options as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}

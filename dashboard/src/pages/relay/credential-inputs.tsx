// The credentials of a backend, to be sent again: another receiver gets none that were not given for it.
import { useEffect, useState } from 'react';
import {
  type BackendCredentialsInput,
  RelayCredentialFieldsDocument,
} from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import { keepTrying } from '../../graph/keep-trying.ts';

const labels: Readonly<Record<keyof BackendCredentialsInput, string>> = {
  username: 'Account',
  password: 'Password',
  privateKey: 'Private key',
  passphrase: 'Passphrase',
  apiToken: 'API token',
  clientCertificate: 'Client certificate',
};
type Field = keyof typeof labels;

const severalLines: ReadonlySet<Field> = new Set(['privateKey', 'clientCertificate']);

/**
 * Names of the stored credentials; undefined while they are being read. If they can't be read, the server refuses the change and
 * names them.
 */
export function useStoredFields(id: string, isNeeded: boolean): readonly Field[] | undefined {
  const { requester } = useDependencies();
  const [fields, setFields] = useState<readonly Field[] | undefined>(isNeeded ? undefined : []);
  useEffect(() => {
    if (!isNeeded) return;
    const left = new AbortController();
    const take = (names: readonly string[]) =>
      left.signal.aborted || setFields(names.filter((name) => name in labels) as Field[]);
    keepTrying(() => requester.request(RelayCredentialFieldsDocument, { id }), left.signal).then(
      ({ backend }) => take(backend?.credentialFields ?? []),
      () => take([]),
    );
    return () => left.abort();
  }, [requester, id, isNeeded]);
  return fields;
}

export function CredentialInputs({ fields }: { readonly fields: readonly Field[] }) {
  return fields.map((name) => {
    const control = { id: `credential-${name}`, name, required: true, autoComplete: 'off' };
    return (
      <div key={name} className="field">
        <label htmlFor={control.id}>{labels[name]}</label>
        {severalLines.has(name) ? (
          <textarea {...control} rows={3} spellCheck={false} />
        ) : (
          <input {...control} type={name === 'username' ? 'text' : 'password'} />
        )}
      </div>
    );
  });
}

/** Undefined if none were requested. */
export function credentialsIn(form: FormData, fields: readonly Field[]): BackendCredentialsInput | undefined {
  if (fields.length === 0) return undefined;
  const given = fields.map((name) => [name, String(form.get(name) ?? '').replaceAll('\r\n', '\n')] as const);
  return { username: '', ...Object.fromEntries(given) };
}

// The inputs of credentials that a driver can use, and what was entered.
import type { BackendCredentialsInput } from '../../../../generated/dashboard/graphql.ts';
import type { Driver } from './place.ts';

const labels: Readonly<Record<keyof BackendCredentialsInput, string>> = {
  username: 'Account',
  password: 'Password',
  privateKey: 'Private key',
  passphrase: 'Passphrase of the private key',
  apiToken: 'API token',
  clientCertificate: 'Client certificate',
};
type Field = keyof typeof labels;

const severalLines: ReadonlySet<Field> = new Set(['privateKey', 'clientCertificate']);

function fieldsOf({ credentialFields }: Driver): readonly Field[] {
  return (Object.keys(labels) as Field[]).filter((name) => name === 'username' || credentialFields.includes(name));
}

export function Credentials({ driver }: { readonly driver: Driver }) {
  return fieldsOf(driver).map((name) => {
    const control = { id: `credential-${name}`, name, autoComplete: 'off' };
    return (
      <div key={name} className="field">
        <label htmlFor={control.id}>{labels[name]}</label>
        {severalLines.has(name) ? (
          <textarea {...control} rows={3} spellCheck={false} maxLength={15_000} />
        ) : (
          <input
            {...control}
            type={name === 'username' ? 'text' : 'password'}
            required={name === 'username'}
            maxLength={4_096}
          />
        )}
      </div>
    );
  });
}

/** What was left empty is not sent. */
export function credentialsIn(form: FormData, driver: Driver): BackendCredentialsInput {
  const given = fieldsOf(driver).map((name) => [name, String(form.get(name) ?? '').replaceAll('\r\n', '\n')] as const);
  return { username: '', ...Object.fromEntries(given.filter(([, value]) => value !== '')) };
}

// Secrets that nobody can show again.
import { CopyButton } from './copy-button.tsx';

export function OnceShown({ secrets }: { readonly secrets: Readonly<Record<string, string | null>> }) {
  return Object.entries(secrets).map(([name, secret]) =>
    secret === null ? (
      <p key={name} className="warning">
        There is no secret to show: none was requested, or the answer that contained it was lost. If you need one,
        revoke this and create another.
      </p>
    ) : (
      <div key={name} className="once">
        <p>Keep this {name === 'joinToken' ? 'token' : 'secret'} now: nobody can show it again.</p>
        <code data-secret={name}>{secret}</code>
        <CopyButton text={secret} what={name === 'joinToken' ? 'the token' : 'the secret'} />
      </div>
    ),
  );
}

// The login form.
import { useEffect, useRef, useState } from 'react';
import { useDependencies } from '../context.ts';
import { keepTrying } from '../graph/keep-trying.ts';
import { hrefOf } from '../route.ts';
import { type Failure, Failures, failureOf, failuresOf } from './refusal.tsx';

export function LoginForm({ hasEnded }: { readonly hasEnded: boolean }) {
  const { session, codeFailures } = useDependencies();
  const [isBusy, setBusy] = useState(false);
  const [failures, setFailures] = useState(codeFailures);
  const password = useRef<HTMLInputElement>(null);
  const left = useRef(new AbortController());
  // Another tab may log in while this one tries.
  useEffect(() => {
    const controller = new AbortController();
    left.current = controller;
    return () => controller.abort();
  }, []);

  const login = async (form: FormData): Promise<void> => {
    setBusy(true);
    setFailures([]);
    try {
      const [name, given] = [String(form.get('name')), String(form.get('password'))];
      const refusals = await keepTrying(() => session.login(name, given), left.current.signal);
      setFailures(failuresOf(refusals).map(explain));
      if (refusals.length > 0) password.current?.select();
    } catch (error) {
      setFailures([failureOf(error)]);
    } finally {
      setBusy(false);
    }
  };

  return (
    <main className="door">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void login(new FormData(event.currentTarget));
        }}
      >
        <h1>
          <img src={hrefOf('/favicon.svg')} alt="" width="32" height="32" />
          Tidegate
        </h1>
        {hasEnded && <p className="warning">Your session has ended. Log in again to continue.</p>}
        <label className="field">
          Name
          {/* biome-ignore lint/a11y/noAutofocus: it is the only thing on the page. */}
          <input name="name" autoComplete="username" required maxLength={63} autoFocus />
        </label>
        <label className="field">
          Password
          <input
            name="password"
            type="password"
            autoComplete="current-password"
            required
            maxLength={256}
            ref={password}
          />
        </label>
        <button type="submit" className="primary" disabled={isBusy}>
          {isBusy ? 'Logging in…' : 'Log in'}
        </button>
        <Failures failures={failures} />
        <p className="dim">
          {isLocal(window.location.hostname) && (
            <>
              <code>npm start</code> in a terminal prints a link that logs in once.{' '}
            </>
          )}
          The first administrator's password is on the server: <code>cat .tidegate/admin.password</code>
        </p>
      </form>
    </main>
  );
}

/** Links that log in are printed only for a browser on the same machine. */
function isLocal(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname);
}

/** Replaces the general advice for the code of a wrong password. */
function explain(failure: Failure): Failure {
  return failure.code === 'BAD_CREDENTIALS' ? { ...failure, advice: 'Check name and password.' } : failure;
}

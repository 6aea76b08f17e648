// The first step: which driver speaks to the device, and where the device is.
import { type FormEvent, useState } from 'react';
import { useLiveState } from '../../context.ts';
import { formatWord } from '../../view/format.ts';
import { Failures } from '../../view/refusal.tsx';
import { type Driver, type Place, transportsOf } from './place.ts';
import { type Proof, useProof } from './use-proof.ts';

interface AddressStepProps {
  readonly drivers: readonly Driver[];
  /** Its fingerprint is shown: another address begins again. */
  readonly isFixed: boolean;
  readonly onShown: (place: Place, proof: Proof) => void;
  readonly onChange: () => void;
}

export function AddressStep({ drivers, isFixed, onShown, onChange }: AddressStepProps) {
  const { viewer } = useLiveState();
  const projects = viewer?.projects.filter(({ role }) => viewer.admin || role === 'OPERATOR') ?? [];
  const [driverName, setDriverName] = useState(drivers[0]?.name ?? '');
  const { read, isBusy, failures } = useProof(onShown);
  const driver = drivers.find(({ name }) => name === driverName);
  const transports = driver === undefined ? [] : transportsOf(driver);
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const port = String(form.get('port') ?? '');
    void read({
      projectId: String(form.get('projectId')),
      driver: driverName,
      host: String(form.get('host')).trim(),
      port: port === '' ? null : Number(port),
      transport: (form.get('transport') as Place['transport']) ?? transports[0] ?? null,
      cryptoProfile: String(form.get('cryptoProfile')) as Place['cryptoProfile'],
    });
  };
  if (projects.length === 0)
    return <li>Only operators can register backends, and you are not an operator of any project.</li>;
  return (
    <li aria-label="Address">
      <form onSubmit={submit}>
        <h3>Where is the device?</h3>
        <fieldset disabled={isFixed || isBusy}>
          <AddressFields {...{ projects, drivers, transports, driverName, setDriverName }} />
        </fieldset>
        {driver !== undefined && <p className="dim">{driver.summary}</p>}
        <Failures failures={failures} />
        <div className="actions">
          {/* With keys: otherwise it is one element, which the click that changes it into the other one would submit. */}
          {isFixed ? (
            <button key="other" type="button" onClick={onChange}>
              Another address
            </button>
          ) : (
            <button key="show" type="submit" className="primary" disabled={isBusy} aria-busy={isBusy}>
              {isBusy ? 'Asking the device…' : 'Show its fingerprint'}
            </button>
          )}
        </div>
      </form>
    </li>
  );
}

interface AddressFieldsProps {
  readonly projects: readonly { readonly project: { readonly id: string; readonly name: string } }[];
  readonly drivers: readonly Driver[];
  readonly transports: ReturnType<typeof transportsOf>;
  readonly driverName: string;
  readonly setDriverName: (name: string) => void;
}

function AddressFields({ projects, drivers, transports, driverName, setDriverName }: AddressFieldsProps) {
  return (
    <>
      <label className="field">
        Project
        <select name="projectId" required defaultValue={projects.length === 1 ? projects[0]?.project.id : ''}>
          <option value="">Choose…</option>
          {projects.map(({ project }) => (
            <option key={project.id} value={project.id}>
              {project.name}
            </option>
          ))}
        </select>
      </label>
      <label className="field">
        Driver
        <select name="driver" value={driverName} onChange={({ target }) => setDriverName(target.value)}>
          {drivers.map(({ name, family, summary }) => (
            <option key={name} value={name} title={summary}>
              {name} ({formatWord(family)})
            </option>
          ))}
        </select>
      </label>
      <label className="field">
        Host name or address
        <input name="host" required maxLength={253} autoComplete="off" placeholder="192.0.2.10" />
      </label>
      <label className="field">
        Port
        <input name="port" type="number" min={1} max={65_535} placeholder="default" />
      </label>
      {transports.length > 1 && (
        <label className="field">
          Protocol
          <select name="transport">
            {transports.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
      <label className="field">
        Cryptography
        <select name="cryptoProfile" defaultValue="MODERN">
          <option value="MODERN">modern</option>
          <option value="COMPAT">compat, for older devices</option>
          <option value="LEGACY">legacy, for very old devices</option>
        </select>
      </label>
    </>
  );
}

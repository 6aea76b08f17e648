// The fields of a new channel: its kind, and where it sends alerts.
import type { AlertChannelTargetInput } from '../../../../generated/dashboard/graphql.ts';

export const targetKinds = { slack: 'Slack', webhook: 'Webhook', mail: 'Mail' } as const;
export type TargetKind = keyof typeof targetKinds;

/** As typed. */
export interface TargetDraft {
  readonly kind: TargetKind;
  readonly url: string;
  readonly host: string;
  readonly sender: string;
  /** Separated by commas or spaces. */
  readonly recipients: string;
}

export const emptyTarget: TargetDraft = { kind: 'slack', url: '', host: '', sender: '', recipients: '' };

/** Undefined while something is missing. */
export function targetOf({ kind, ...typed }: TargetDraft): AlertChannelTargetInput | undefined {
  const [url, host, sender] = [typed.url.trim(), typed.host.trim(), typed.sender.trim()];
  if (kind !== 'mail') return url === '' ? undefined : kind === 'slack' ? { slack: { url } } : { webhook: { url } };
  const recipients = typed.recipients.split(/[\s,;]+/).filter((each) => each !== '');
  return host === '' || sender === '' || recipients.length === 0 ? undefined : { mail: { host, sender, recipients } };
}

interface TargetFieldsProps {
  readonly draft: TargetDraft;
  readonly onChange: (draft: TargetDraft) => void;
}

const mailFields = [
  { name: 'host', label: 'Mail server', example: 'mail.example.com' },
  { name: 'sender', label: 'Sender', example: 'tidegate@example.com' },
  { name: 'recipients', label: 'Recipients', example: 'ops@example.com' },
] as const;
const examples = {
  slack: 'https://hooks.slack.com/services/…',
  webhook: 'https://hooks.example.com/tidegate',
} as const;

export function TargetFields({ draft, onChange }: TargetFieldsProps) {
  if (draft.kind === 'mail')
    return mailFields.map(({ name, label, example }) => (
      <label key={name}>
        {label}
        <input
          value={draft[name]}
          placeholder={example}
          maxLength={1_024}
          onChange={({ target }) => onChange({ ...draft, [name]: target.value })}
        />
      </label>
    ));
  return (
    <label className="wide">
      URL
      <input
        type="url"
        value={draft.url}
        placeholder={examples[draft.kind]}
        maxLength={2_048}
        autoComplete="off"
        onChange={({ target }) => onChange({ ...draft, url: target.value })}
      />
    </label>
  );
}

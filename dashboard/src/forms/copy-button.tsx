// Copies a text. Outside of a secure context a browser has no clipboard for scripts: there the text is selected in a field first.
import { useState } from 'react';

interface CopyButtonProps {
  readonly text: string;
  readonly what: string;
  /** The text has words that must be replaced. */
  readonly isIncomplete?: boolean;
}

export function CopyButton({ text, what, isIncomplete }: CopyButtonProps) {
  const [isCopied, setCopied] = useState(false);
  const shown = `${isCopied ? 'Copied' : 'Copy'}${isIncomplete === true ? ', incomplete' : ''}`;
  return (
    <button
      type="button"
      className="copy"
      // The name has what is seen.
      aria-label={isIncomplete === true ? `${shown}: ${what}` : `Copy ${what}`}
      onClick={() => void copy(text).then(setCopied)}
      onBlur={() => setCopied(false)}
    >
      {shown}
    </button>
  );
}

async function copy(text: string): Promise<boolean> {
  if (navigator.clipboard !== undefined)
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  const field = document.createElement('textarea');
  field.value = text;
  document.body.append(field);
  field.select();
  const isDone = document.execCommand('copy');
  field.remove();
  return isDone;
}

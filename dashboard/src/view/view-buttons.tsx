// Chooses what is shown of one object. The choice is in the page's address.
interface ViewButtonsProps {
  /** Labels by name; the first one is shown if none is chosen. */
  readonly views: Readonly<Record<string, string>>;
  readonly view: string;
  readonly onChange: (view: string | null) => void;
}

export function ViewButtons({ views, view, onChange }: ViewButtonsProps) {
  return (
    <fieldset className="states views">
      <legend className="visually-hidden">View</legend>
      {Object.entries(views).map(([name, label], index) => (
        <button
          type="button"
          key={name}
          className="chip"
          aria-pressed={name === view}
          onClick={() => onChange(index === 0 ? null : name)}
        >
          {label}
        </button>
      ))}
    </fieldset>
  );
}

/** A name that is none of the views is the first one. */
export function viewOf(views: Readonly<Record<string, string>>, name: string | null | undefined): string {
  return name != null && Object.hasOwn(views, name) ? name : (Object.keys(views)[0] ?? '');
}

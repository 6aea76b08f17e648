// A menu of rare actions behind one button, `⋯`. Its items are the actions and links inside it: they know from the context that they are
// items. It is in the browser's top layer, so that no panel cuts it off.
import {
  createContext,
  type KeyboardEvent,
  type ReactNode,
  useContext,
  useEffect,
  useId,
  useRef,
  useState,
} from 'react';

interface OpenMenu {
  /** The object of the menu, which its items need not name. */
  readonly about: string;
  /** Closes it; the focus is at its button again. */
  readonly close: () => void;
}

const MenuContext = createContext<OpenMenu | null>(null);

/** The menu around an action. Null: it stands alone. */
export function useMenu(): OpenMenu | null {
  return useContext(MenuContext);
}

/** Below its button, for a menu of a few items. */
const roomPx = 260;

const itemsOf = (menu: HTMLElement): HTMLElement[] => [
  ...menu.querySelectorAll<HTMLElement>('[role="menuitem"]:not(:disabled)'),
];

export function ActionsMenu({ about, children }: { readonly about: string; readonly children: ReactNode }) {
  const [isOpen, setOpen] = useState(false);
  const menu = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const menuId = useId();
  const close = (): void => {
    menu.current?.hidePopover();
    button.current?.focus();
  };
  /** Below its button, or above it near the end of the window. */
  const place = (): void => {
    const at = button.current?.getBoundingClientRect();
    if (menu.current === null || at === undefined) return;
    const isAbove = at.bottom + roomPx > window.innerHeight && at.top > roomPx;
    menu.current.style.top = isAbove ? 'auto' : `${at.bottom + 4}px`;
    menu.current.style.bottom = isAbove ? `${window.innerHeight - at.top + 4}px` : 'auto';
    menu.current.style.right = `${Math.max(4, document.documentElement.clientWidth - at.right)}px`;
  };
  useEffect(() => {
    if (!isOpen) return;
    // It would stay where its button was.
    const leave = (): void => menu.current?.hidePopover();
    window.addEventListener('scroll', leave, { capture: true, passive: true });
    window.addEventListener('resize', leave);
    return () => {
      window.removeEventListener('scroll', leave, { capture: true });
      window.removeEventListener('resize', leave);
    };
  }, [isOpen]);
  return (
    <MenuContext value={{ about, close }}>
      <button
        type="button"
        ref={button}
        className="quiet dots"
        aria-label={`Actions of ${about}`}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        popoverTarget={menuId}
        onKeyDown={(event) => {
          if (event.key !== 'ArrowDown') return;
          event.preventDefault();
          menu.current?.showPopover();
        }}
      >
        <span aria-hidden="true">⋯</span>
      </button>
      <div
        ref={menu}
        id={menuId}
        role="menu"
        tabIndex={-1}
        popover="auto"
        aria-label={`Actions of ${about}`}
        className="actions-menu"
        onBeforeToggle={({ newState }) => newState === 'open' && place()}
        onToggle={({ newState, currentTarget }) => {
          setOpen(newState === 'open');
          if (newState === 'open') itemsOf(currentTarget)[0]?.focus();
        }}
        onKeyDown={(event) => onKey(event, close)}
      >
        {children}
      </div>
    </MenuContext>
  );
}

/** The keys of the pattern `menu button` (ARIA Authoring Practices Guide). Those of the page rest. */
function onKey(event: KeyboardEvent<HTMLDivElement>, close: () => void): void {
  const { currentTarget: menu, target, key } = event;
  // An item's dialog is elsewhere in the document.
  if (!(target instanceof HTMLElement) || !menu.contains(target)) return;
  if (event.ctrlKey || event.metaKey || event.altKey || key === 'Enter' || key === ' ') return;
  if (key !== 'Tab') event.preventDefault();
  const items = itemsOf(menu);
  if (key === 'Tab' || key === 'Escape') close();
  else nextItem(items, items.indexOf(target), key)?.focus();
}

function nextItem(items: readonly HTMLElement[], here: number, key: string): HTMLElement | undefined {
  if (key === 'ArrowDown') return items[(here + 1) % items.length];
  if (key === 'ArrowUp') return items.at(here < 1 ? -1 : here - 1);
  if (key === 'Home') return items[0];
  if (key === 'End') return items.at(-1);
  const later = [...items.slice(here + 1), ...items.slice(0, here + 1)];
  return later.find(({ textContent }) => textContent.trim().toLowerCase().startsWith(key.toLowerCase()));
}

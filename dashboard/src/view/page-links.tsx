// The header's links to pages. The less used ones are in a menu, except on wide screens, so that the header is one row.
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useDependencies } from '../context.ts';
import type { PageRow } from '../page.ts';
import { hrefOf, pathOf, useRoute } from '../route.ts';
import { Link } from './link.tsx';
import { usePresentPages } from './use-present-pages.ts';

interface PageLinksProps {
  /** All pages are in the menu, and the menu has the name of the open one. */
  readonly isNarrow: boolean;
  /** At the end of the menu. */
  readonly children?: ReactNode;
}

export function PageLinks({ isNarrow, children }: PageLinksProps) {
  const open = useRoute(useDependencies().pages);
  const present = usePresentPages();
  const linkTo = (page: PageRow) => (
    <Link key={page.name} href={pathOf(page)} aria-current={page === open ? 'page' : undefined}>
      {page.title}
    </Link>
  );
  // A single page needs no list.
  const listed = present.length === 1 ? [] : present;
  return (
    <nav className="pages" aria-label="Pages">
      {!isNarrow && listed.filter(({ isInMenu }) => isInMenu !== true).map(linkTo)}
      <MoreMenu hasOpenPage={isNarrow || open?.isInMenu === true} title={isNarrow ? (open?.title ?? 'Pages') : null}>
        {listed.filter(({ isInMenu }) => isNarrow || isInMenu === true).map(linkTo)}
        <a href={hrefOf('/graphiql')}>GraphiQL</a>
        {children}
      </MoreMenu>
    </nav>
  );
}

interface MoreMenuProps {
  readonly hasOpenPage: boolean;
  /** In place of `More`. */
  readonly title: string | null;
  /** Links. */
  readonly children: ReactNode;
}

/** Closes on Escape, on a link to the open page, and when the focus or a click is elsewhere. Another page has a header of its own. */
function MoreMenu({ hasOpenPage, title, children }: MoreMenuProps) {
  const [isOpen, setOpen] = useState(false);
  const menu = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    const leave = ({ target }: Event): void => {
      if (target instanceof Node && menu.current?.contains(target) === false) setOpen(false);
    };
    const follow = ({ target, defaultPrevented }: Event): void => {
      // The browser handles clicks that open another tab.
      if (!defaultPrevented || !(target instanceof Element) || target.closest('.more-pages a') === null) return;
      setOpen(false);
      button.current?.focus();
    };
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape') return;
      // The page's own listener would close its drawer.
      event.preventDefault();
      setOpen(false);
      button.current?.focus();
    };
    document.addEventListener('pointerdown', leave);
    document.addEventListener('focusin', leave);
    document.addEventListener('click', follow);
    document.addEventListener('keydown', onKeyDown, true);
    return () => {
      document.removeEventListener('pointerdown', leave);
      document.removeEventListener('focusin', leave);
      document.removeEventListener('click', follow);
      document.removeEventListener('keydown', onKeyDown, true);
    };
  }, [isOpen]);
  return (
    <div className="more-pages" ref={menu}>
      <button
        type="button"
        className="link"
        ref={button}
        aria-expanded={isOpen}
        data-current={hasOpenPage}
        aria-label={title === null ? undefined : `${title}: more pages`}
        onClick={() => setOpen(!isOpen)}
      >
        {title ?? 'More'} <span aria-hidden="true">▾</span>
      </button>
      <div className="menu" data-open={isOpen}>
        {children}
      </div>
    </div>
  );
}

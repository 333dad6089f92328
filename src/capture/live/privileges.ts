/** Whether the program was started with sudo, and can give up root for the user who did. */
export function isSudo(): boolean {
  const { SUDO_UID, SUDO_GID } = process.env;
  return process.getuid?.() === 0 && isId(SUDO_UID) && isId(SUDO_GID) && Number(SUDO_UID) !== 0;
}

function isId(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,10}$/.test(text);
}

/**
 * Root that came through sudo was needed for the sockets only; what is written from now on belongs to the user.
 * @throws where the kernel refuses: going on as root is not what was asked for
 */
export function dropPrivileges(): void {
  if (!isSudo()) return;
  const { SUDO_UID, SUDO_GID } = process.env;
  process.setgroups?.([Number(SUDO_GID)]);
  process.setgid?.(Number(SUDO_GID));
  process.setuid?.(Number(SUDO_UID));
}

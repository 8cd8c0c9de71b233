/**
 * Scrolling with a finger, which xterm.js 6 does not do by itself.
 *
 * Where a program fills the screen or asked for the mouse, the finger's way is handed on as turns of a wheel, which mean the right
 * thing there already.
 */

const SLOWING_PER_MS = 0.997;
const SLOWEST = 0.05;
// A finger that rested before it was lifted does not throw.
const REST_MS = 60;

class Finger {
  constructor(event, turn) {
    this.id = event.pointerId;
    this.turn = turn;
    this.at = event;
    this.speed = 0;
  }

  move(event) {
    const way = this.at.clientY - event.clientY;
    const time = Math.max(1, event.timeStamp - this.at.timeStamp);
    this.speed = way / time;
    this.at = event;
    this.turn(way, event);
  }

  lift(event) {
    if (event.timeStamp - this.at.timeStamp > REST_MS) return;
    let before = performance.now();
    const glide = (now) => {
      const time = Math.max(0, now - before);
      before = now;
      this.speed *= SLOWING_PER_MS ** time;
      if (Math.abs(this.speed) < SLOWEST) return;
      this.turn(this.speed * time, this.at);
      requestAnimationFrame(glide);
    };
    requestAnimationFrame(glide);
  }

  stop() {
    this.speed = 0;
  }
}

/** @param {import("@xterm/xterm").Terminal} terminal already open in an element. */
export function scrollByTouch(terminal) {
  const stage = terminal.element.parentElement;
  const screen = terminal.element.querySelector('.xterm-screen');
  let finger = null;
  let rest = 0;
  const turnWheel = (rows, { clientX, clientY }) => {
    const turn = { deltaY: Math.sign(rows), deltaMode: WheelEvent.DOM_DELTA_LINE, clientX, clientY };
    for (let row = 0; row < Math.abs(rows); row += 1) {
      screen.dispatchEvent(new WheelEvent('wheel', { ...turn, bubbles: true, cancelable: true }));
    }
  };
  const turn = (way, at) => {
    const height = screen.clientHeight / terminal.rows;
    const rows = Math.trunc((rest + way) / height);
    rest = (rest + way) % height;
    const programs = terminal.modes.mouseTrackingMode !== 'none' || terminal.buffer.active.type === 'alternate';
    if (programs) turnWheel(rows, at);
    else terminal.scrollLines(rows);
  };
  stage.addEventListener('pointerdown', (event) => {
    finger?.stop();
    rest = 0;
    finger = event.pointerType === 'touch' && event.isPrimary ? new Finger(event, turn) : null;
  });
  stage.addEventListener('pointermove', (event) => event.pointerId === finger?.id && finger.move(event));
  stage.addEventListener('pointerup', (event) => event.pointerId === finger?.id && finger.lift(event));
}

// What the page does between one animation frame and the next, in counts: they hold on a slow machine too.

/** From now on; the page's own code asks for its frames through the replaced function. */
function countInPage() {
  const places = new Map(); // written since the last frame: target -> what of it -> how often
  const work = (window.frameWork = { frames: 0, places: 0, writes: 0, most: 0, mostAt: '' });
  const ask = window.requestAnimationFrame.bind(window);
  const observer = new MutationObserver(take);
  let last = -1;
  observer.observe(document.documentElement, { subtree: true, childList: true, attributes: true, characterData: true });
  window.requestAnimationFrame = (draw) => ask((now) => {
    if (now !== last) endFrame();
    last = now;
    draw(now);
  });

  function take(records) {
    for (const { type, target, attributeName } of records) {
      const at = places.get(target) ?? places.set(target, new Map()).get(target);
      const what = attributeName ?? type;
      at.set(what, (at.get(what) ?? 0) + 1);
    }
  }

  function endFrame() {
    take(observer.takeRecords());
    work.frames++;
    for (const [target, at] of places) {
      for (const [what, times] of at) {
        work.places++;
        work.writes += times;
        if (times <= work.most) continue;
        work.most = times;
        work.mostAt = `${what} of ${target.nodeName}#${target.id ?? ''}.${target.className ?? ''}`;
      }
    }
    places.clear();
  }
}

export class FrameWork {
  static async count(page) {
    const w = new FrameWork();
    w.page = page;
    w.cdp = await page.context().newCDPSession(page);
    await w.cdp.send('Performance.enable');
    await page.evaluate(countInPage);
    return w;
  }

  /** Of so many frames from now: frames, layouts, writes, the places written (each counted once a frame), most writes to one. */
  async during(frames) {
    await this.page.evaluate(() => Object.assign(window.frameWork, { frames: 0, places: 0, writes: 0, most: 0, mostAt: '' }));
    const before = await this.layouts();
    await this.page.waitForFunction((n) => window.frameWork.frames >= n, frames, { timeout: 60_000, polling: 100 });
    const work = await this.page.evaluate(() => ({ ...window.frameWork }));
    return { ...work, layouts: (await this.layouts()) - before };
  }

  async layouts() {
    const { metrics } = await this.cdp.send('Performance.getMetrics');
    return metrics.find((m) => m.name === 'LayoutCount').value;
  }
}

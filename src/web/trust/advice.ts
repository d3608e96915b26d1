/**
 * Returns advice on enabling WebGPU in this browser, in one or two sentences.
 * @param secure whether the page is a secure context
 * @param offered whether `navigator.gpu` exists
 */
export function adviceFor(userAgent: string, secure: boolean, offered: boolean): string {
  if (!secure) return 'Open this page over https, or from localhost: browsers offer WebGPU only there.';
  const version = (name: string): number => Number(new RegExp(`${name}/(\\d+)`).exec(userAgent)?.[1] ?? 0);
  const linux = /Linux/.test(userAgent) && !/Android/.test(userAgent);
  const chromium = version('Edg') || version('Chrome');
  if (chromium) {
    const name = /Edg\//.test(userAgent) ? 'Edge' : 'Chrome';
    if (chromium < 113) return `This ${name} predates WebGPU: update it to 113 or newer.`;
    const address = name === 'Edge' ? 'edge' : 'chrome';
    if (linux) {
      return `On Linux set ${address}://flags/#enable-unsafe-webgpu and #enable-vulkan to Enabled, restart ${name}, and check ${address}://gpu.`;
    }
    return `Turn on graphics acceleration in the settings of ${name}, update the graphics driver, and check ${address}://gpu.`;
  }
  const firefox = version('Firefox');
  if (firefox) {
    if (offered && firefox >= 141) {
      const blocked = linux ? ' On Linux also set gfx.webgpu.ignore-blocklist to true in about:config.' : '';
      return `WebGPU is enabled in this Firefox, but no usable GPU was found: update the graphics driver, and check the Graphics section of about:support.${blocked}`;
    }
    // Releases before 141 refuse all requests, whatever the settings.
    return firefox < 141
      ? 'Update Firefox: it has WebGPU on Windows from 141 and on Apple silicon from 145. Elsewhere set dom.webgpu.enabled to true in about:config (in Firefox Nightly, if the release ignores it), or use Chrome.'
      : 'Set dom.webgpu.enabled to true in about:config and reload (in Firefox Nightly, if this release ignores it), or use Chrome.';
  }
  const safari = /Safari\//.test(userAgent) ? version('Version') : 0;
  if (safari) {
    return safari < 26
      ? 'Safari has WebGPU from version 26: update it, or turn WebGPU on in the feature flags of its developer settings.'
      : 'Turn WebGPU on in the feature flags of the developer settings of Safari.';
  }
  return 'For WebGPU use a current Chrome, Edge, Safari or Firefox, and an up-to-date graphics driver.';
}

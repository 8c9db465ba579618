/** The icons of this extension; drawn with `currentColor`, so that they follow the text. */

import { LabIcon } from '@jupyterlab/ui-components';

export const shieldIcon = new LabIcon({
  name: 'sm-access:shield',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16">' +
    '<path fill="currentColor" d="M8 1l6 2.2v4.3c0 3.7-2.4 6.4-6 7.5-3.6-1.1-6-3.8-6-7.5V3.2z"/></svg>'
});

-- The loader runs this once it has read its own settings and before it loads a kernel.
require("slots").run()

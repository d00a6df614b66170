# The build that ships (prebuildify, node-gyp). The build of every day is native/CMakeLists.txt.
{
  "includes": ["native/isa.gypi"],
  "targets": [
    {
      "target_name": "octavo",
      "sources": ["<!@(node native/sources.mjs addon)"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "dependencies": ["<!@(node native/sources.mjs targets <(target_arch))"],
      "defines": [
        "NAPI_VERSION=8",
        "NODE_ADDON_API_CPP_EXCEPTIONS",
        "NODE_ADDON_API_CPP_EXCEPTIONS_ALL",
        "NODE_ADDON_API_DISABLE_DEPRECATED",
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
        "OCTAVO_VERSION=\"<!(node -p \"require('./package.json').version\")\""
      ],
      "conditions": [
        ["OS == 'linux'", {
          "ldflags": ["-Wl,-z,nodelete", "-Wl,--version-script=<(module_root_dir)/native/addon/exports.map"]
        }]
      ]
    }
  ]
}

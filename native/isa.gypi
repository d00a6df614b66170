# Generated from isa.json by scripts/gen-isa.mjs.
{
  "target_defaults": {
    "include_dirs": [
      "."
    ],
    "cflags_cc": [
      "-std=c++17",
      "-O2",
      "-ftree-vectorize",
      "<!@(node native/sources.mjs vectorize)",
      "-fvisibility=hidden",
      "-fvisibility-inlines-hidden",
      "-ffp-contract=off",
      "-fno-math-errno",
      "-fno-trapping-math"
    ],
    "cflags_cc!": [
      "-fno-exceptions",
      "-fno-rtti"
    ],
    "xcode_settings": {
      "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
      "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
      "GCC_ENABLE_CPP_RTTI": "YES",
      "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
      "OTHER_CPLUSPLUSFLAGS": [
        "-ffp-contract=off",
        "-fno-math-errno",
        "-fno-trapping-math"
      ]
    },
    "conditions": [
      [
        "target_arch == \"x64\"",
        {
          "defines": [
            "OCTAVO_HAVE_X86_AVX512VNNI=1",
            "OCTAVO_HAVE_X86_AVXVNNI=1",
            "OCTAVO_HAVE_X86_AVX2=1"
          ]
        }
      ],
      [
        "target_arch == \"arm64\"",
        {
          "defines": [
            "OCTAVO_HAVE_ARM64_I8MM=1",
            "OCTAVO_HAVE_ARM_NEONDOT=1",
            "OCTAVO_HAVE_ARM_NEON=1"
          ]
        }
      ],
      [
        "target_arch == \"arm\"",
        {
          "defines": [
            "OCTAVO_HAVE_ARMV7_NEON=1"
          ]
        }
      ]
    ]
  },
  "conditions": [
    [
      "target_arch == \"x64\"",
      {
        "targets": [
          {
            "target_name": "octavo_x86_avx512vnni",
            "type": "static_library",
            "sources": [
              "<!@(node native/sources.mjs x86_avx512vnni)"
            ],
            "cflags_cc": [
              "-O3",
              "-mavx2",
              "-mfma",
              "-mf16c",
              "-mavx512f",
              "-mavx512bw",
              "-mavx512dq",
              "-mavx512vl",
              "-mavx512vnni",
              "-mprefer-vector-width=512"
            ],
            "xcode_settings": {
              "OTHER_CPLUSPLUSFLAGS": [
                "-mavx2",
                "-mfma",
                "-mf16c",
                "-mavx512f",
                "-mavx512bw",
                "-mavx512dq",
                "-mavx512vl",
                "-mavx512vnni",
                "-mprefer-vector-width=512"
              ]
            }
          },
          {
            "target_name": "octavo_x86_avxvnni",
            "type": "static_library",
            "sources": [
              "<!@(node native/sources.mjs x86_avxvnni)"
            ],
            "cflags_cc": [
              "-O3",
              "-mavx2",
              "-mfma",
              "-mf16c",
              "-mavxvnni"
            ],
            "xcode_settings": {
              "OTHER_CPLUSPLUSFLAGS": [
                "-mavx2",
                "-mfma",
                "-mf16c",
                "-mavxvnni"
              ]
            }
          },
          {
            "target_name": "octavo_x86_avx2",
            "type": "static_library",
            "sources": [
              "<!@(node native/sources.mjs x86_avx2)"
            ],
            "cflags_cc": [
              "-O3",
              "-mavx2",
              "-mfma",
              "-mf16c"
            ],
            "xcode_settings": {
              "OTHER_CPLUSPLUSFLAGS": [
                "-mavx2",
                "-mfma",
                "-mf16c"
              ]
            }
          }
        ]
      }
    ],
    [
      "target_arch == \"arm64\"",
      {
        "targets": [
          {
            "target_name": "octavo_arm64_i8mm",
            "type": "static_library",
            "sources": [
              "<!@(node native/sources.mjs arm64_i8mm)"
            ],
            "cflags_cc": [
              "-O3",
              "-march=armv8.2-a+dotprod+i8mm"
            ],
            "xcode_settings": {
              "OTHER_CPLUSPLUSFLAGS": [
                "-march=armv8.2-a+dotprod+i8mm"
              ]
            }
          },
          {
            "target_name": "octavo_arm_neondot",
            "type": "static_library",
            "sources": [
              "<!@(node native/sources.mjs arm_neondot)"
            ],
            "cflags_cc": [
              "-O3",
              "-march=armv8.2-a+dotprod"
            ],
            "xcode_settings": {
              "OTHER_CPLUSPLUSFLAGS": [
                "-march=armv8.2-a+dotprod"
              ]
            }
          },
          {
            "target_name": "octavo_arm_neon",
            "type": "static_library",
            "sources": [
              "<!@(node native/sources.mjs arm_neon)"
            ],
            "cflags_cc": [
              "-O3",
              "-march=armv8-a"
            ],
            "xcode_settings": {
              "OTHER_CPLUSPLUSFLAGS": [
                "-march=armv8-a"
              ]
            }
          }
        ]
      }
    ],
    [
      "target_arch == \"arm\"",
      {
        "targets": [
          {
            "target_name": "octavo_armv7_neon",
            "type": "static_library",
            "sources": [
              "<!@(node native/sources.mjs armv7_neon)"
            ],
            "cflags_cc": [
              "-O3",
              "-march=armv7-a",
              "-mfpu=neon-vfpv4",
              "-mfloat-abi=hard"
            ],
            "xcode_settings": {
              "OTHER_CPLUSPLUSFLAGS": [
                "-march=armv7-a",
                "-mfpu=neon-vfpv4",
                "-mfloat-abi=hard"
              ]
            }
          }
        ]
      }
    ]
  ]
}

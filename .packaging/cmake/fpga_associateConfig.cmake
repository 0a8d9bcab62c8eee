# find_package(fpga_associate CONFIG) defines
#   fpga_associate::fpga_associate         the shared library
#   fpga_associate::fpga_associate_static  the static library and the system's libraries that it needs
# each only where its file is installed. All paths are relative to this file: the prefix may move.

get_filename_component(_fpga_associate_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
set(_fpga_associate_folders "")
foreach(_fpga_associate_folder "lib/${CMAKE_LIBRARY_ARCHITECTURE}" lib lib64)
  list(APPEND _fpga_associate_folders "${_fpga_associate_prefix}/${_fpga_associate_folder}")
endforeach()

foreach(_fpga_associate_kind SHARED STATIC)
  if(_fpga_associate_kind STREQUAL "SHARED")
    set(_fpga_associate_target fpga_associate::fpga_associate)
    set(_fpga_associate_file libfpga_associate.so)
    if(WIN32)
      set(_fpga_associate_file fpga_associate.lib)
    endif()
  else()
    set(_fpga_associate_target fpga_associate::fpga_associate_static)
    set(_fpga_associate_file libfpga_associate.a)
  endif()
  foreach(_fpga_associate_folder IN LISTS _fpga_associate_folders)
    if(NOT TARGET ${_fpga_associate_target} AND EXISTS "${_fpga_associate_folder}/${_fpga_associate_file}")
      add_library(${_fpga_associate_target} ${_fpga_associate_kind} IMPORTED)
      set_target_properties(${_fpga_associate_target} PROPERTIES
        IMPORTED_LOCATION "${_fpga_associate_folder}/${_fpga_associate_file}"
        INTERFACE_INCLUDE_DIRECTORIES "${_fpga_associate_prefix}/include")
    endif()
  endforeach()
endforeach()

if(TARGET fpga_associate::fpga_associate AND WIN32)
  get_target_property(_fpga_associate_file fpga_associate::fpga_associate IMPORTED_LOCATION)
  set_target_properties(fpga_associate::fpga_associate PROPERTIES
    IMPORTED_IMPLIB "${_fpga_associate_file}"
    IMPORTED_LOCATION "${_fpga_associate_prefix}/bin/fpga_associate.dll")
elseif(TARGET fpga_associate::fpga_associate)
  set_target_properties(fpga_associate::fpga_associate PROPERTIES
    IMPORTED_SONAME "libfpga_associate.so.${fpga_associate_VERSION_MAJOR}")
endif()
if(TARGET fpga_associate::fpga_associate_static AND WIN32)
  set_target_properties(fpga_associate::fpga_associate_static PROPERTIES
    INTERFACE_COMPILE_DEFINITIONS FPGA_ASSOC_STATIC
    INTERFACE_LINK_LIBRARIES "ntdll;ws2_32")
elseif(TARGET fpga_associate::fpga_associate_static)
  set_target_properties(fpga_associate::fpga_associate_static PROPERTIES
    INTERFACE_LINK_LIBRARIES "pthread;dl;m;rt;util")
endif()
if(NOT TARGET fpga_associate::fpga_associate AND NOT TARGET fpga_associate::fpga_associate_static)
  set(fpga_associate_FOUND FALSE)
  set(fpga_associate_NOT_FOUND_MESSAGE "no library in ${_fpga_associate_folders}")
endif()

foreach(_fpga_associate_name prefix folder folders kind target file)
  unset(_fpga_associate_${_fpga_associate_name})
endforeach()
unset(_fpga_associate_name)
